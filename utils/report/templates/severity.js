"use strict";
/* Accuracy and confidence by level, a panel per model. */
(() => {
  const { data, element, numbers, interval, label, triple, find, size, place, known, wide, dotStyle, shareTick, base, legend, figure } = report;

  function severity() {
    figure("severity", (holder) => {
      legend(holder, [["accuracy", "var(--accuracy)"], ["confidence", "var(--confidence)"]]);
      // Readers have a section of their own.
      const people = new Set(data.readers.filter((point) => point.kind === "reader").map((point) => point.who));
      const runs = people.size < data.runs.length ? data.runs.filter((run) => !people.has(run)) : data.runs;
      const grid = element("div", { class: "panels" });
      const width = Math.min(wide(), runs.length === 1 ? 640 : runs.length < 4 ? 340 : 270);
      grid.style.gridTemplateColumns = `repeat(auto-fill, minmax(min(100%, ${width}px), 1fr))`;
      holder.append(grid);
      for (const run of runs) {
        const rows = data.levels.map((level) => find(run, level)).filter(Boolean);
        const points = rows.flatMap((node) => ["accuracy", "confidence"].map((name) => {
          const [estimate, low, high] = triple(node, name);
          return { level: node.level, name, estimate, low, high, small: node.small, guess: node.guesserAccuracy,
            text: `${run}, ${node.level}\n${name} ${interval([estimate, low, high])}\n${size(node)}` };
        }));
        const shown = known(points, (d) => d.estimate);
        const bounded = known(shown, (d) => d.low);
        const stroke = (d) => `var(--${d.name})`;
        grid.append(element("div", {}, element("h3", {}, run), Plot.plot(base(`Accuracy and confidence of ${run} by level`, {
          width, height: 60 + width * 0.5, marginLeft: 44, marginRight: 14,
          x: { type: "point", domain: data.levels, label: null, padding: 0.25 }, y: { domain: [0, 1], grid: true, label: null, ticks: 5, tickFormat: shareTick },
          marks: [
            Plot.areaY(bounded, { x: "level", y1: "low", y2: "high", z: "name", fill: stroke, fillOpacity: 0.15 }),
            Plot.lineY(points.filter((d) => d.name === "accuracy"), { x: "level", y: "guess", stroke: "currentColor", strokeOpacity: 0.6, strokeDasharray: "2,3" }),
            Plot.lineY(shown, { x: "level", y: "estimate", z: "name", stroke, strokeWidth: 2 }),
            Plot.ruleX(bounded, { x: "level", y1: "low", y2: "high", stroke, strokeWidth: 1.5 }),
            Plot.dot(shown, { x: "level", y: "estimate", ...dotStyle(stroke), r: 4 }),
            Plot.tip(shown, Plot.pointer({ x: "level", y: "estimate", title: "text" })),
          ],
        }))));
      }
    });
    numbers(place("severity-numbers"), "severity", ["model", "level", "accuracy", "confidence", "guesser's accuracy", "n", "source questions"],
      data.runs.flatMap((run) => data.levels.map((level) => find(run, level)).filter(Boolean).map((node) =>
        [run, node.level, triple(node, "accuracy"), triple(node, "confidence"), node.guesserAccuracy, node.n, node.clusters])));
  }

  report.sections.severity = severity;
})();
