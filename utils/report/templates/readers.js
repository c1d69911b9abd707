"use strict";
/* People beside the models, by level: the mean of the readers with its band, single readers, and models. */
(() => {
  const { data, element, numbers, interval, label, place, known, wide, signedTick, shareTick, base, legend, figure, PUBLISHED } = report;
  const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

  function readers() {
    const points = known(data.readers, (point) => point.estimate).map((point) => ({ ...point,
      text: `${point.who}, ${point.level}\n${label(point.figure)} ${interval([point.estimate, point.low, point.high], point.figure === "calibration_shift")}\nn = ${point.n}` }));
    const models = [...new Set(points.filter((point) => point.kind === "model").map((point) => point.who))];
    const means = [...new Set(points.filter((point) => point.kind === "mean").map((point) => point.who))];
    const colour = (point) => (point.kind === "mean" ? "var(--ink)" : point.kind === "reader" ? "var(--soft)" : COLOURS[models.indexOf(point.who) % COLOURS.length]);
    figure("readers", (holder) => {
      legend(holder, [...means.map((name) => [name, "var(--ink)"]), ["single readers", "var(--soft)"], ...models.map((name, index) => [name, COLOURS[index % COLOURS.length]])]);
      const grid = element("div", { class: "panels" });
      const width = wide() < 760 ? Math.min(wide(), 520) : wide() / 3 - 14;
      grid.style.gridTemplateColumns = `repeat(auto-fill, minmax(min(100%, ${width}px), 1fr))`;
      holder.append(grid);
      for (const name of PUBLISHED) {
        const own = points.filter((point) => point.figure === name);
        const bounded = known(own.filter((point) => point.kind === "mean"), (point) => point.low);
        const drawn = (kind, options) => Plot.lineY(own.filter((point) => point.kind === kind), { x: "level", y: "estimate", z: "who", stroke: colour, ...options });
        grid.append(element("div", {}, element("h3", {}, label(name)), Plot.plot(base(`${label(name)} of readers and models by level`, {
          width, height: 230, marginLeft: 44, marginRight: 14,
          x: { type: "point", domain: data.levels, label: null, padding: 0.25 },
          y: { grid: true, label: null, ticks: 5, nice: true, tickFormat: name === "calibration_shift" ? signedTick : shareTick },
          marks: [
            name === "calibration_shift" ? Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.5 }) : null,
            Plot.areaY(bounded, { x: "level", y1: "low", y2: "high", z: "who", fill: "var(--ink)", fillOpacity: 0.15 }),
            drawn("reader", { strokeWidth: 1 }),
            drawn("model", { strokeWidth: 1.6 }),
            drawn("mean", { strokeWidth: 3 }),
            Plot.dot(own.filter((point) => point.kind !== "reader"), { x: "level", y: "estimate", fill: colour, r: 3.5 }),
            Plot.tip(own, Plot.pointer({ x: "level", y: "estimate", title: "text" })),
          ],
        }))));
      }
      holder.append(element("p", { class: "footnote" }, "Band: 95% interval of the mean. Accuracy compares whatever was asked for; confidence and shift only with models that state their confidence, so others are not drawn there."));
    });
    numbers(place("readers-numbers"), "readers", ["who", "level", "figure", "value", "n"],
      points.map((point) => [point.who, point.level, label(point.figure), [point.estimate, point.low, point.high], point.n]));
  }

  report.sections.readers = readers;
})();
