"use strict";
/* The pictures of an item at its levels: side by side, one over the other with a slider, or blinking; zoomed together. */
const itemPictures = (() => {
  const { element } = medq;
  const MODES = [["side", "side by side"], ["slider", "slider"], ["blink", "blink"]];
  const ZOOMS = [1, 2, 4];
  const BLINK = 700; // milliseconds
  const BELOW = { side: 90, slider: 80, blink: 96 }; // pixels of what stands below a picture
  const LOWEST = 160;
  const state = { mode: "side", zoom: 0, over: null, ticking: 0, redraw: () => {} };

  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  // Only files that the report itself wrote beside the page.
  const own = (paths) => paths.filter((path) => /^images\/[0-9a-f]+\.webp$/.test(path));

  function framed(picture, below) {
    const box = element("div", { class: "frame" });
    const sources = own(picture.paths);
    if (sources.length) box.append(...sources.map((src) => element("img", { src, alt: `${picture.level}, ${picture.what}` })));
    else box.append(element("div", { class: "none" }, picture.absent ? "not among the items" : "No picture: give the data set with --data"));
    return element("figure", { class: picture.current ? "current" : null }, box, element("figcaption", {}, element("b", {}, picture.level), ` ${picture.what}`), ...(below ? [below] : []));
  }

  function zoom(holder) {
    const factor = ZOOMS[state.zoom];
    for (const image of holder.querySelectorAll("img")) image.style.transform = factor === 1 ? "" : `scale(${factor})`;
    holder.onpointermove = factor === 1 ? null : (event) => {
      const box = event.target.closest(".frame")?.getBoundingClientRect();
      if (!box) return;
      const at = `${(100 * (event.clientX - box.left)) / box.width}% ${(100 * (event.clientY - box.top)) / box.height}%`;
      for (const image of holder.querySelectorAll("img")) image.style.transformOrigin = at;
    };
  }

  /* Set how high a picture may be, so that what steers it is seen without scrolling: the height that is left. */
  function fit() {
    const detail = document.getElementById("detail");
    const holder = detail.querySelector(".pictures");
    if (!holder) return;
    const scrolls = getComputedStyle(detail).overflowY === "auto" && detail.clientHeight < innerHeight;
    const left = scrolls ? detail.clientHeight - holder.offsetTop : 0.75 * innerHeight;
    holder.style.setProperty("--fit", `${Math.max(LOWEST, Math.floor(left - BELOW[state.mode]))}px`);
  }

  /* One picture over the other: the chosen level, and clean (or, where clean is chosen, the last level) on top of it. */
  function overlaid(pictures) {
    const below = pictures.find((each) => each.current) ?? pictures.at(-1);
    const above = below === pictures[0] ? pictures.at(-1) : pictures[0];
    const stack = element("div", { class: "frame stack" });
    const figure = element("figure", { class: "overlaid" });
    for (const each of [below, above]) {
      const [src] = own(each.paths);
      if (!src) continue;
      const image = element("img", { src, alt: `${each.level}, ${each.what}`, class: each === above ? "above" : null });
      const shape = () => { if (image.naturalHeight) figure.style.setProperty("--shape", image.naturalWidth / image.naturalHeight); };
      if (each === below) image.addEventListener("load", shape);
      stack.append(image);
    }
    const says = element("figcaption", { "aria-live": "polite" });
    figure.append(stack, says);
    const top = stack.querySelector(".above");
    if (state.mode === "slider") {
      const slider = element("input", { type: "range", min: 0, max: 100, value: state.over ?? 50, "aria-label": `Share of ${above.level} over ${below.level}`, id: "slider" });
      const cut = () => { state.over = Number(slider.value); if (top) top.style.clipPath = `inset(0 ${100 - state.over}% 0 0)`; };
      slider.addEventListener("input", cut);
      cut();
      says.textContent = `${above.level} left of the line, ${below.level} right of it`;
      figure.append(slider);
    } else {
      let shown = true;
      const step = () => {
        shown = !shown;
        if (top) top.style.visibility = shown ? "visible" : "hidden";
        says.textContent = shown ? above.level : below.level;
      };
      step();
      const button = element("button", { type: "button", id: "blink" }, "Swap");
      button.addEventListener("click", step);
      figure.append(button);
      if (!still()) state.ticking = setInterval(step, BLINK);
    }
    return figure;
  }

  /* Pictures: level, what, paths, current, absent. `below` gives what stands under each when they are side by side. */
  function draw(pictures, below) {
    clearInterval(state.ticking);
    const holder = element("div", { class: `pictures ${state.mode}` });
    if (state.mode === "side" || pictures.length < 2) holder.append(...pictures.map((each) => framed(each, below(each))));
    else holder.append(overlaid(pictures), element("div", { class: "beside" }, ...pictures.map((each) => element("div", { class: each.current ? "current" : null }, element("b", {}, each.level), ` ${each.what}`, below(each)))));
    zoom(holder);
    return holder;
  }

  function controls() {
    const modes = MODES.map(([mode, label]) => {
      const button = element("button", { type: "button", id: `mode-${mode}`, "aria-pressed": String(state.mode === mode) }, label);
      button.addEventListener("click", () => { state.mode = mode; state.redraw(`mode-${mode}`); });
      return button;
    });
    const zoomed = element("button", { type: "button", id: "zoom" }, `zoom ${ZOOMS[state.zoom]}×`);
    zoomed.addEventListener("click", () => { state.zoom = (state.zoom + 1) % ZOOMS.length; state.redraw("zoom"); });
    return element("div", { class: "modes", role: "group", "aria-label": "Pictures" }, ...modes, zoomed);
  }

  return { draw, controls, fit, state };
})();
