// The page around the desks: what the server says lies on the desk, keys, time, and that no answer is lost on the way.

import { Pictures, Viewer } from '/picture.js';
import { review } from '/review.js';
import { study } from '/study.js';
import { calibrate } from '/calibrate.js';
import { check } from '/check.js';
import { element, keyButton } from '/parts.js';

const byId = (id) => document.getElementById(id);
const token = document.querySelector('meta[name="page-token"]').content;
const told = JSON.parse(document.querySelector('meta[name="desk"]').content);
const desks = { review, study, calibrate };

class Page {
  constructor() {
    this.told = told;
    this.desk = desks[told.desk];
    this.pictures = new Pictures();
    this.viewer = new Viewer(byId('stage'), byId('labels'));
    this.viewer.region = () => this.#free();
    this.screen = null;
    this.busy = false;
    this.introduced = false;
    this.started = null;       // when the picture was painted; null: the time is not known
    byId('undo').addEventListener('click', () => this.undo());
    byId('pause').addEventListener('click', () => this.pause(true));
    for (const id of ['undo', 'pause']) byId(id).addEventListener('click', (event) => { if (event.detail) byId(id).blur(); });
    addEventListener('keydown', (event) => this.#key(event));
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.started = null; });
    addEventListener('pageshow', (event) => { if (event.persisted) this.load(); });
  }

  async load() {
    try {
      await this.take(await (await this.#ask('/state')).json());
    } catch { this.notice('The desk does not answer. Is it still running in the terminal? Reload to try again.'); }
  }

  async #ask(path, body) {
    const wish = body === undefined ? {} : {
      method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', 'X-Token': token } };
    return fetch(path, wish);
  }

  // Send until it has arrived; the same nonce makes a repeated answer the same answer.
  async post(path, body) {
    if (this.busy) return null;
    this.busy = true;
    try {
      for (let wait = 200; ; wait = Math.min(3000, wait * 2)) {
        try {
          const reply = await this.#ask(path, body);
          const content = await reply.json();
          if (content.error) { this.notice(content.error); return null; }
          return content;
        } catch {
          this.notice('Not saved yet: the desk does not answer. Trying again; leave this window open.');
          await new Promise((done) => setTimeout(done, wait));
        }
      }
    } finally { this.busy = false; }
  }

  async answer(content) {
    const screen = this.screen, pressed = performance.now();
    const seconds = this.started === null ? null : (pressed - this.started) / 1000;
    const viewer = this.viewer, { zoomed, windowed, flickered } = viewer.looked;
    const view = { zoomed, windowed, flickered, ...(viewer.canWindow ? { window: Math.round(viewer.width), level: Math.round(viewer.level) } : {}) };
    const next = await this.post('/answer', {
      position: screen.position, phase: screen.phase, nonce: crypto.randomUUID(), seconds, view, ...content });
    if (next) await this.take(next, pressed);
  }

  async undo() { const next = await this.post('/undo', {}); if (next) await this.take(next); }

  async pause(on) {
    if (this.screen?.screen !== 'trial' && on) return;
    const next = await this.post('/pause', { on });
    if (next) await this.take(next);
  }

  async take(screen, pressed = null) {
    this.screen = screen;
    this.started = null;
    this.viewer.reset();
    this.viewer.canWindow = screen.screen === 'trial' && told.desk !== 'study';
    this.#head(screen);
    this.notice(screen.told ?? '');
    const trial = screen.screen === 'trial';
    try {
      if (trial) await this.#trial(screen);
      else { this.viewer.clear(); await this.#other(screen); }
    } catch (error) { this.notice(`The picture cannot be shown: ${error.message}`); return; }
    await new Promise((done) => requestAnimationFrame(done));
    this.started = document.hidden ? null : performance.now();
    document.documentElement.dataset.ready = String(1 + Number(document.documentElement.dataset.ready ?? 0));
    if (pressed !== null) performance.measure('answered to painted', { start: pressed, end: performance.now() });
    if (trial) byId('said').textContent = `${screen.done + 1} of ${screen.of}. ${screen.question}`;
    for (const name of screen.prefetch) this.pictures.get(name).catch(() => {});
  }

  async #trial(screen) {
    this.set = 0;
    this.state = this.desk.begin(screen);
    const panes = await this.panes(screen.sets[0]);
    document.body.className = this.desk.layout(screen);
    this.panel();
    this.viewer.show(panes);
  }

  panes(set) {
    return Promise.all(set.map(async ({ label, image }) => ({ label, ...(await this.pictures.get(image)) })));
  }

  async nextSet() {
    const sets = this.screen.sets;
    if (sets.length < 2) return;
    this.set = (this.set + 1) % sets.length;
    this.viewer.show(await this.panes(sets[this.set]));
    this.panel();
  }

  panel() { byId('panel').replaceChildren(...this.desk.panel(this.screen, this.state, this).filter((part) => part !== null)); this.viewer.draw(); }

  alone(...children) {
    document.body.className = 'alone';
    byId('panel').replaceChildren(...children);
  }

  async #other(screen) {
    const hash = element('p', { class: 'hash', id: 'head' }, screen.head ?? '');
    if (screen.screen === 'check') {
      if (this.introduced) await check.show(this, screen);
      else this.#introduce();
    } else if (screen.screen === 'paused') {
      this.alone(element('h2', {}, 'Paused'), element('p', {}, `${screen.done} of ${screen.of} answered, all of it saved.`),
        element('div', { class: 'row' }, keyButton('P', 'go on', () => this.pause(false)), keyButton('E', 'end for today', () => this.close())));
    } else if (screen.screen === 'done') {
      this.alone(element('h2', {}, 'All answered'), element('p', {}, 'Thank you. Everything is saved.'),
        element('div', { class: 'row' }, keyButton('Enter', 'end the session', () => this.close()), keyButton('U', 'change the last answer', () => this.undo())));
    } else {
      this.alone(element('h2', {}, 'Ended'), element('p', {}, 'This window can be closed. Note the hash, or photograph it: with it, anyone can check later that nothing was changed.'), hash);
    }
  }

  #introduce() {
    const { name, purpose, keys } = this.desk.about(told);
    const common = [['U', 'change the last answer'], ['P', 'pause or end; nothing is lost']];
    this.alone(element('h2', {}, name), ...purpose.map((text) => element('p', {}, text)),
      element('dl', { class: 'keys' }, ...[...keys, ...common].flatMap(([key, text]) => [element('dt', {}, element('kbd', {}, key)), element('dd', {}, text)])),
      element('p', {}, ''), keyButton('Enter', 'begin', () => this.begin()));
  }

  async begin() {
    this.introduced = true;
    await this.take(this.screen);
  }

  async close() { const next = await this.post('/close', {}); if (next) await this.take(next); }

  #head(screen) {
    byId('title').textContent = this.desk.about(told).name;
    document.title = `${this.desk.about(told).name} · medqdeg`;
    byId('count').textContent = `${screen.done} of ${screen.of}`;
    byId('who').textContent = `${screen.reader}${screen.session > 1 || told.desk === 'study' ? ` · session ${screen.session}` : ''}`;
    const bar = byId('progress');
    bar.setAttribute('aria-valuemax', screen.of);
    bar.setAttribute('aria-valuenow', screen.done);
    bar.firstElementChild.style.width = `${100 * screen.done / screen.of}%`;
    for (const id of ['undo', 'pause']) byId(id).disabled = screen.screen !== 'trial';
  }

  notice(text) {
    byId('notice').hidden = !text;
    byId('notice').textContent = text;
    if (text) byId('said').textContent = text;
  }

  #free() {
    const head = document.querySelector('header').getBoundingClientRect(), panel = byId('panel').getBoundingClientRect();
    const free = { left: 8, top: head.bottom + 8, right: innerWidth - 8, bottom: innerHeight - 8 };
    if (document.body.className === 'beside') free.right = panel.left - 8;
    if (document.body.className === 'below') free.bottom = panel.top - 8;
    return free;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.busy || !this.screen) return;
    const focused = document.activeElement;
    if (focused?.tagName === 'BUTTON' && (event.key === 'Enter' || event.key === ' ')) return;
    if (event.key === 'Tab') return;
    const screen = this.screen.screen, key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    let taken = true;
    if (event.repeat && !event.key.startsWith('Arrow') && event.key !== 'Backspace') taken = true;
    else if (screen === 'trial' && this.state.typing) taken = this.desk.typed(event, this.screen, this.state, this);
    else if (screen === 'trial' && this.desk.key(event, key, this.screen, this.state, this)) taken = true;
    else if (screen === 'trial' && key === 'U') this.undo();
    else if (screen === 'trial' && key === 'P') this.pause(true);
    else if (screen === 'trial') taken = this.viewer.key(event);
    else if (screen === 'check' && !this.introduced && key === 'Enter') this.begin();
    else if (screen === 'check' && this.introduced) taken = check.key(event, this);
    else if (screen === 'paused' && (key === 'P' || key === 'Enter')) this.pause(false);
    else if (screen === 'paused' && key === 'E') this.close();
    else if (screen === 'done' && key === 'Enter') this.close();
    else if (screen === 'done' && key === 'U') this.undo();
    else taken = false;
    if (taken) event.preventDefault();
  }
}

const page = new Page();
window.medqdegPlaced = () => page.viewer.placed?.[0] ?? null;   // where the first picture lies, in device pixels
page.load();
