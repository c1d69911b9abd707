"use strict";
/* Draw the sections that are on the page, once and again when the width changes. */
(() => {
  const { data, enhance, theme, drawn, place, wide, sections } = report;
  for (const id of data.sections) if (id in sections) sections[id]();
  const all = () => drawn.forEach((draw) => draw());
  all();
  document.querySelectorAll("main .table").forEach((holder) => { if (!holder.querySelector(".tools")) enhance(holder); });
  theme(place("theme"));
  let width = wide();
  addEventListener("resize", () => { if (Math.abs(wide() - width) > 40) { width = wide(); all(); } });
  document.documentElement.dataset.ready = "yes";
})();
