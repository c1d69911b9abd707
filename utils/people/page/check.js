// The display check: what a poor display, or a bright room, does not show cannot be judged.

import { element, keyButton } from '/parts.js';

export const check = {
  async show(page, screen) {
    document.body.className = 'beside';
    const panes = await page.panes([{ label: '', image: screen.image }]);
    const input = element('input', { type: 'text', inputmode: 'numeric', autocomplete: 'off', id: 'digits', maxlength: 12 });
    document.getElementById('panel').replaceChildren(
      element('h2', { class: 'what' }, 'Display check'),
      element('p', {}, 'Below the wedge of 18 greys stand three faint digits on black and three on white. Type the six that you see, from left to right.'),
      element('p', { class: 'quiet' }, 'Dim the room and set the screen to its usual brightness; switch off night light and automatic contrast. If digits cannot be seen, this screen hides what pictures show.'),
      element('label', {}, 'The six digits', input),
      keyButton('Enter', 'check', () => check.send(page)));
    page.viewer.show(panes);
    input.focus();
  },

  async send(page) {
    const typed = document.getElementById('digits').value;
    const display = { width: innerWidth, height: innerHeight, ratio: devicePixelRatio };
    const next = await page.post('/check', { typed, display });
    if (next) await page.take(next);
  },

  key(event, page) {
    const input = document.getElementById('digits');
    if (event.key === 'Enter') { check.send(page); return true; }
    if (document.activeElement !== input && /^\d$/.test(event.key)) { input.value += event.key; input.focus(); return true; }
    return false;
  },
};
