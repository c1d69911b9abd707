// Desk C: the question that the models get, with a confidence beside the answer.

import { element, keyButton } from '/parts.js';

export const study = {
  layout: () => 'beside',

  about: () => ({
    name: 'Reader study',
    purpose: [
      'You see one picture and one question at a time, as the models do. Choose the best letter even where you are not sure, and say in percent how likely it is to be right. A pure guess among four is 25.',
      'Say also where the picture does not allow an answer. There is no time limit and no feedback; the first ten are practice. Some pictures are poor on purpose, and some come twice.',
    ],
    keys: [['A B C …', 'the answer'], ['0 … 9', 'confidence, 0 to 100'], ['X', 'the image is not diagnostic'], ['Enter', 'give the answer'], ['+ − Z', 'zoom, fit']],
  }),

  begin: (screen) => ({
    letter: screen.earlier?.letter ?? null, confidence: screen.earlier ? String(screen.earlier.confidence) : '',
    flagged: screen.earlier?.not_diagnostic ?? false, typing: false,
  }),

  panel(screen, state, page) {
    const guess = Math.round(100 / screen.options.length);
    const input = element('input', { type: 'text', inputmode: 'numeric', maxlength: 3, id: 'confidence', autocomplete: 'off', value: state.confidence, 'aria-describedby': 'guess' });
    input.addEventListener('input', () => { input.value = state.confidence = this.whole(input.value); this.refresh(screen, state); });
    const track = element('div', { class: 'track', 'aria-hidden': 'true' }, element('div', { class: 'set' }), element('div', { class: 'guess' }));
    track.lastElementChild.style.left = `${guess}%`;
    track.addEventListener('click', (event) => {
      const box = track.getBoundingClientRect();
      state.confidence = String(Math.round(100 * (event.clientX - box.left) / box.width));
      this.refresh(screen, state);
    });
    queueMicrotask(() => this.refresh(screen, state));
    return [
      screen.practice ? element('p', { class: 'quiet' }, element('span', { class: 'tag' }, 'practice'), ' does not count') : null,
      element('p', { class: 'question' }, screen.question),
      element('div', { class: 'column', role: 'radiogroup', 'aria-label': 'Answer' }, ...screen.options.map(([letter, text]) =>
        element('button', { type: 'button', role: 'radio', 'aria-checked': 'false', 'data-letter': letter, onclick: () => { state.letter = letter; this.refresh(screen, state); } },
          element('kbd', {}, letter), element('span', {}, text)))),
      element('div', { class: 'confidence' }, element('label', { for: 'confidence' }, 'How likely is it to be right, in percent?'), input, track,
        element('div', { class: 'scale', id: 'guess' }, element('span', {}, '0'), element('span', {}, `a guess: ${guess}`), element('span', {}, '100'))),
      keyButton('X', 'the image is not diagnostic', () => { state.flagged = !state.flagged; this.refresh(screen, state); }, { id: 'flag', 'aria-pressed': 'false' }),
      keyButton('Enter', 'answer', () => this.send(screen, state, page), { id: 'send' }),
    ];
  },

  whole: (text) => {
    const digits = text.replace(/\D/g, '').replace(/^0+(?=\d)/, '');
    return digits === '' || Number(digits) <= 100 ? digits : digits.slice(0, 2);
  },

  refresh(screen, state) {
    const find = (id) => document.getElementById(id);
    if (!find('send')) return;
    for (const button of document.querySelectorAll('[data-letter]')) button.setAttribute('aria-checked', String(button.dataset.letter === state.letter));
    if (find('confidence').value !== state.confidence) find('confidence').value = state.confidence;
    document.querySelector('.track .set').style.width = `${Number(state.confidence || 0)}%`;
    find('flag').setAttribute('aria-pressed', String(state.flagged));
    find('send').disabled = state.letter === null || state.confidence === '';
  },

  send(screen, state, page) {
    if (state.letter === null || state.confidence === '') {
      page.notice(state.letter === null ? 'Choose the best letter first.' : 'How likely is it to be right? Type 0 to 100.');
      return;
    }
    page.answer({ letter: state.letter, confidence: Number(state.confidence), not_diagnostic: state.flagged });
  },

  key(event, key, screen, state, page) {
    const inField = document.activeElement?.id === 'confidence';
    if (screen.options.some(([letter]) => letter === key)) state.letter = key;
    else if (key === 'X') state.flagged = !state.flagged;
    else if (key === 'Enter') { this.send(screen, state, page); return true; }
    else if (inField && /^(\d|Backspace|Delete|ArrowLeft|ArrowRight|Home|End)$/.test(event.key)) return false;
    else if (/^\d$/.test(key)) state.confidence = this.whole(state.confidence + key);
    else if (key === 'Backspace') state.confidence = state.confidence.slice(0, -1);
    else return false;
    page.notice('');
    this.refresh(screen, state);
    return true;
  },
};
