// Pieces that every panel is made of.

export const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'onclick') made.addEventListener('click', (event) => { if (event.detail) made.blur(); value(event); });
    else if (value === true) made.setAttribute(key, '');
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
};
export const keyButton = (key, text, act, attributes = {}) =>
  element('button', { type: 'button', onclick: act, ...attributes }, element('kbd', {}, key), ' ', text);
export const optionList = (screen, inline = false, key = null) =>
  element('ul', { class: inline ? 'options inline' : 'options' }, ...screen.options.map(([letter, text]) =>
    element('li', { class: letter === key ? 'key' : null }, element('b', {}, letter), text)));
