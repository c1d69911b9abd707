// Desk B: how strong is what is seen?

import { element, keyButton, optionList } from '/parts.js';

export const calibrate = {
  layout: () => 'beside',

  about: (told) => ({
    name: 'Severity calibration',
    purpose: [
      'You see one picture at a time, degraded by some amount, or not at all. Say what the change does to the diagnosis that the question asks for. C shows the clean picture for comparison.',
      'Judge each picture for itself: amounts come in random order, and some pictures come unchanged.',
    ],
    keys: [...told.ratings.map((text, number) => [String(number), text]), ['C', 'clean picture and back'], ['drag', 'brightness and contrast; R resets']],
  }),

  begin: (screen) => ({ clean: false, typing: false, chosen: screen.earlier?.rating ?? null }),

  panel(screen, state, page) {
    return [
      element('div', {}, element('p', { class: 'question' }, screen.question), optionList(screen)),
      element('p', { class: 'quiet' }, 'What does the change do to the diagnosis?'),
      element('div', { class: 'column' }, ...page.told.ratings.map((text, number) =>
        keyButton(String(number), text, () => page.answer({ rating: number }), { 'aria-pressed': screen.earlier ? String(state.chosen === number) : null }))),
      keyButton('C', state.clean ? 'back to the picture' : 'clean picture', () => this.compare(screen, state, page)),
      element('p', { class: 'viewing' }, ...[['+ −', 'zoom'], ['Z', 'fit'], ['[ ] , .', 'contrast, brightness'], ['R', 'reset']]
        .map(([key, text]) => element('span', {}, element('kbd', {}, key), ' ', text))),
    ];
  },

  async compare(screen, state, page) {
    state.clean = !state.clean;
    page.viewer.looked.flickered = true;
    const panes = await page.panes(state.clean ? [{ label: 'clean', image: screen.clean }] : screen.sets[0]);
    page.viewer.show(panes);
    page.panel();
  },

  key(event, key, screen, state, page) {
    if (/^\d$/.test(key) && Number(key) < page.told.ratings.length) page.answer({ rating: Number(key) });
    else if (key === 'C' || key === ' ') this.compare(screen, state, page);
    else return false;
    return true;
  },
};
