// Pictures on one canvas that covers the window. A pixel of a file is a square of whole device pixels, or, where the
// window is too small, the picture is reduced by a whole number and says so. Nothing is resampled without a word.

const GAP = 8;          // device pixels between pictures
const KEPT = 24;        // pictures held decoded

export class Pictures {
  #held = new Map();    // name -> promise of {bitmap, width, height}

  get(name) {
    if (!this.#held.has(name)) {
      this.#held.set(name, this.#fetch(name).catch((error) => { this.#held.delete(name); throw error; }));
      if (this.#held.size > KEPT) this.#held.delete(this.#held.keys().next().value);
    }
    return this.#held.get(name);
  }

  async #fetch(name) {
    const reply = await fetch(`/picture/${name}`);
    if (!reply.ok) throw new Error((await reply.text()).slice(0, 200));
    const bitmap = await createImageBitmap(await reply.blob(), {
      colorSpaceConversion: 'none', premultiplyAlpha: 'none', imageOrientation: 'from-image' });
    return { bitmap, width: bitmap.width, height: bitmap.height };
  }
}

export class Viewer {
  constructor(canvas, labels, drawn) {
    this.canvas = canvas;
    this.labels = labels;
    this.drawn = drawn;                       // called after each drawing
    this.context = canvas.getContext('2d', { alpha: false });
    this.panes = [];
    this.region = () => ({ left: 0, top: 0, right: innerWidth, bottom: innerHeight });
    this.canWindow = false;
    this.reset();
    this.#watchSize();
    this.#watchPointer();
  }

  reset() {
    this.single = null;                       // place of the one pane that is shown alone
    this.zoom = null;                         // null: as large as fits
    this.pan = [0, 0];
    this.resetWindow();
    this.looked = { zoomed: false, windowed: false, flickered: false };
  }

  resetWindow() { this.level = 127.5; this.width = 255; this.tables = new Map(); }

  show(panes) {                               // [{label, bitmap, width, height}]
    this.panes = panes;
    this.tables = new Map();
    this.draw();
  }

  flicker() {
    if (this.panes.length < 2) return;
    this.single = this.single === null ? 0 : (this.single + 1) % this.panes.length;
    this.looked.flickered = true;
    this.draw();
  }

  sideBySide() { this.single = null; this.draw(); }

  // One key of the viewer's own; true where it was one.
  key(event) {
    const moves = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const key = event.key;
    if (key in moves) this.#move(moves[key][0] * 48, moves[key][1] * 48);
    else if (key === '+' || key === '=') this.#setZoom(Math.max(1, Math.floor(this.#scale()) + 1));
    else if (key === '-') this.#setZoom(Math.max(1, Math.ceil(this.#scale()) - 1));
    else if (key === 'z' || key === 'Z') this.#setZoom(this.zoom === null ? Math.max(1, Math.floor(this.#scale())) : null);
    else if (this.canWindow && (key === 'r' || key === 'R')) { this.resetWindow(); this.draw(); }
    else if (this.canWindow && key === '[') this.#window(-16, 0);
    else if (this.canWindow && key === ']') this.#window(16, 0);
    else if (this.canWindow && (key === ',' || key === '<')) this.#window(0, -8);
    else if (this.canWindow && (key === '.' || key === '>')) this.#window(0, 8);
    else return false;
    return true;
  }

  #shown() { return this.single === null ? this.panes : [this.panes[this.single]]; }

  #ratio() { return this.canvas.width / innerWidth; }

  #boxes() {                                  // device pixels of each pane
    const ratio = this.#ratio(), region = this.region(), count = this.#shown().length || 1;
    const left = Math.ceil(region.left * ratio), top = Math.ceil(region.top * ratio);
    const width = Math.floor(region.right * ratio) - left, height = Math.floor(region.bottom * ratio) - top;
    const each = Math.floor((width - GAP * (count - 1)) / count);
    return this.#shown().map((_, place) => ({ x: left + place * (each + GAP), y: top, width: each, height }));
  }

  #scale() {                                  // whole, or one over a whole number
    if (this.zoom !== null) return this.zoom;
    const boxes = this.#boxes();
    const fits = this.#shown().map((pane, place) => Math.min(boxes[place].width / pane.width, boxes[place].height / pane.height));
    const least = Math.min(...fits);
    if (!(least > 0)) return 1;
    return least >= 1 ? Math.floor(least) : 1 / Math.ceil(1 / least);
  }

  #setZoom(zoom) { this.zoom = zoom; this.pan = [0, 0]; this.looked.zoomed = true; this.draw(); }

  #move(x, y) { this.pan = [this.pan[0] + Math.round(x), this.pan[1] + Math.round(y)]; this.draw(); }

  #window(width, level) {
    this.width = Math.min(510, Math.max(8, this.width + width));
    this.level = Math.min(255, Math.max(0, this.level + level));
    this.tables = new Map();
    this.looked.windowed = true;
    this.draw();
  }

  #source(pane) {                             // the bitmap, or it through window and level
    if (this.level === 127.5 && this.width === 255) return pane.bitmap;
    if (!this.tables.has(pane)) {
      const copy = new OffscreenCanvas(pane.width, pane.height), context = copy.getContext('2d', { willReadFrequently: true });
      context.drawImage(pane.bitmap, 0, 0);
      const pixels = context.getImageData(0, 0, pane.width, pane.height), data = pixels.data;
      const table = Uint8ClampedArray.from({ length: 256 }, (_, grey) => (grey - this.level) / this.width * 255 + 127.5);
      for (let at = 0; at < data.length; at += 4) {
        data[at] = table[data[at]]; data[at + 1] = table[data[at + 1]]; data[at + 2] = table[data[at + 2]];
      }
      context.putImageData(pixels, 0, 0);
      this.tables.set(pane, copy);
    }
    return this.tables.get(pane);
  }

  draw() {
    const { context, canvas } = this, shown = this.#shown(), scale = this.#scale(), labels = [];
    context.fillStyle = '#08090b';
    context.fillRect(0, 0, canvas.width, canvas.height);
    const boxes = this.#boxes(), ratio = this.#ratio();
    for (const axis of [0, 1]) {              // a picture cannot be pushed out of its pane
      const most = Math.max(0, ...shown.map((pane, place) => axis
        ? (pane.height * scale - boxes[place].height) / 2 : (pane.width * scale - boxes[place].width) / 2));
      this.pan[axis] = Math.round(Math.min(most, Math.max(-most, this.pan[axis])));
    }
    this.placed = shown.map((pane, place) => {
      const box = boxes[place], width = Math.round(pane.width * scale), height = Math.round(pane.height * scale);
      const x = box.x + Math.floor((box.width - width) / 2) + this.pan[0];
      const y = box.y + Math.floor((box.height - height) / 2) + this.pan[1];
      context.save();
      context.beginPath();
      context.rect(box.x, box.y, box.width, box.height);
      context.clip();
      context.imageSmoothingEnabled = scale < 1;
      context.imageSmoothingQuality = 'high';
      context.drawImage(this.#source(pane), x, y, width, height);
      context.restore();
      const larger = width > box.width || height > box.height;
      const size = scale < 1 ? `reduced to 1/${Math.round(1 / scale)}: Z for full size` : larger ? `${scale}× arrows move` : '';
      if (pane.label || size) labels.push([pane.label, size, scale < 1, Math.max(box.x, x) / ratio, Math.max(box.y / ratio, y / ratio - 26)]);
      return { x, y, width, height, scale };
    });
    this.labels.replaceChildren(...labels.map(([label, size, reduced, x, y]) => {
      const span = document.createElement('span');
      span.textContent = [label, size].filter(Boolean).join(' · ');
      span.className = reduced ? 'reduced' : '';
      span.style.left = `${x}px`; span.style.top = `${y}px`;
      return span;
    }));
    this.drawn?.();
  }

  clear() { this.panes = []; this.draw(); }

  #watchSize() {
    const take = (width, height) => {
      if (this.canvas.width === width && this.canvas.height === height) return;
      this.canvas.width = width; this.canvas.height = height;
      this.draw();
    };
    const observer = new ResizeObserver(([entry]) => {
      const size = entry.devicePixelContentBoxSize?.[0];
      take(size?.inlineSize ?? Math.round(innerWidth * devicePixelRatio), size?.blockSize ?? Math.round(innerHeight * devicePixelRatio));
    });
    try { observer.observe(this.canvas, { box: 'device-pixel-content-box' }); } catch { observer.observe(this.canvas); }
    take(Math.round(innerWidth * devicePixelRatio), Math.round(innerHeight * devicePixelRatio));
  }

  #watchPointer() {
    let from = null;
    this.canvas.addEventListener('pointerdown', (event) => { from = [event.clientX, event.clientY]; this.canvas.setPointerCapture(event.pointerId); });
    this.canvas.addEventListener('pointermove', (event) => {
      if (!from) return;
      const x = event.clientX - from[0], y = event.clientY - from[1];
      from = [event.clientX, event.clientY];
      if (this.canWindow && !event.shiftKey) this.#window(x, y / 2);
      else this.#move(x * this.#ratio(), y * this.#ratio());
    });
    for (const name of ['pointerup', 'pointercancel']) this.canvas.addEventListener(name, () => { from = null; });
  }
}
