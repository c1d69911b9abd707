// Desk A: is a degraded pair fit to ask about?

import { element, keyButton, optionList } from '/parts.js';

const BLIND = [['Y', 'yes', 'yes'], ['N', 'no', 'no'], ['?', 'cannot say', 'unsure']];
const AFFECTED = ['', 'L1', 'L2', 'both'];

export const review = {
  layout: (screen) => (screen.phase === 'blind' ? 'beside' : 'below'),   // three pictures want the width, one the height

  about: (told) => ({
    name: 'Review of degraded pairs',
    purpose: [
      'First you see a degraded picture and a question: could you answer it from this picture? Then the clean picture (L0) and its two degraded versions (L1, L2) lie side by side, and you say whether the pair is fit for a test.',
      'A pair is out where the degradation cannot be seen (too weak), leaves nothing of what the question asks for, makes no sense for this kind of image, or looks like a fault of the tool. Some pairs come twice, and some are made to fail.',
    ],
    keys: [['Y N ?', 'answerable from the picture'], ...told.verdicts.map(([key, text]) => [String(key), text]), ['L', 'which level is meant'], ['N', 'note'],
      ['K', 'show the right answer'], ['Space', 'one picture at a time, in place'], ['S', 'side by side'], ['drag', 'brightness and contrast; R resets']],
  }),

  begin: (screen) => ({
    affected: screen.earlier?.affected ?? '', note: screen.earlier?.note ?? '', typing: false, key: null,
    chosen: screen.earlier?.verdict ?? screen.earlier?.answerable ?? null,
  }),

  panel(screen, state, page) {
    const more = screen.sets.length > 1 ? element('p', { class: 'quiet' }, `image ${page.set + 1} of ${screen.sets.length}: `, keyButton('I', 'next', () => page.nextSet())) : null;
    const text = element('div', {},
      screen.degradation ? element('p', {}, element('span', { class: 'what' }, screen.degradation), ' ', element('span', { class: 'tag' }, screen.modality)) : null,
      element('p', { class: 'question' }, screen.question), optionList(screen, screen.phase !== 'blind', state.key), more);
    if (screen.phase === 'blind') {
      return [text, element('p', { class: 'quiet' }, 'Can the question be answered from this picture?'),
        element('div', { class: 'column' }, ...BLIND.map(([key, label, value]) => keyButton(key, label, () => page.answer({ answerable: value })))), this.viewing(false)];
    }
    const verdict = (value) => () => page.answer({ verdict: value, affected: state.affected, note: state.note });
    const buttons = page.told.verdicts.map(([key, value]) =>
      keyButton(String(key), value, verdict(value), { 'aria-pressed': screen.earlier ? String(state.chosen === value) : null }));
    const note = state.typing
      ? element('label', {}, 'Note', element('input', { type: 'text', id: 'note', maxlength: 500, value: state.note, autocomplete: 'off' }))
      : null;
    const side = element('div', { class: 'column' }, element('div', { class: 'row' }, ...buttons), note,
      element('div', { class: 'row' },
        keyButton('L', `level meant: ${state.affected || 'not said'}`, () => this.nextLevel(state, page)),
        keyButton('N', state.note ? `note: ${state.note.slice(0, 40)}` : 'note', () => this.write(state, page)),
        keyButton('K', state.key ? `right answer: ${state.key}` : 'right answer', () => this.reveal(screen, state, page))), this.viewing(true));
    return [text, side];
  },

  viewing: (pair) => element('p', { class: 'viewing' },
    ...[...(pair ? [['Space', 'one at a time'], ['S', 'side by side']] : []), ['+ −', 'zoom'], ['Z', 'fit'], ['[ ] , .', 'contrast, brightness'], ['R', 'reset']]
      .map(([key, text]) => element('span', {}, element('kbd', {}, key), ' ', text))),

  nextLevel(state, page) {
    state.affected = AFFECTED[(AFFECTED.indexOf(state.affected) + 1) % AFFECTED.length];
    page.panel();
  },

  write(state, page) {
    state.typing = true;
    page.panel();
    document.getElementById('note').focus();
  },

  async reveal(screen, state, page) {
    const found = await page.post('/reveal', { position: screen.position, phase: screen.phase });
    if (found?.key) { state.key = found.key; page.panel(); }
  },

  typed(event, screen, state, page) {
    if (event.key !== 'Enter' && event.key !== 'Escape') return false;
    const input = document.getElementById('note');
    if (event.key === 'Enter') state.note = input.value.trim();
    state.typing = false;
    page.panel();
    return true;
  },

  key(event, key, screen, state, page) {
    if (key === 'I' && screen.sets.length > 1) { page.nextSet(); return true; }
    if (screen.phase === 'blind') {
      const found = BLIND.find(([own]) => own === key);
      if (found) page.answer({ answerable: found[2] });
      return Boolean(found);
    }
    const verdict = page.told.verdicts.find(([own]) => String(own) === key)?.[1];
    if (verdict) page.answer({ verdict, affected: state.affected, note: state.note });
    else if (key === 'L') this.nextLevel(state, page);
    else if (key === 'N') this.write(state, page);
    else if (key === 'K') this.reveal(screen, state, page);
    else if (key === ' ') page.viewer.flicker();
    else if (key === 'S' || key === 'Escape') page.viewer.sideBySide();
    else return false;
    return true;
  },
};
