"use strict";
/* Confidence against accuracy. */
(() => {
  const { data, numbers, interval, label, triple, find, levelColour, size, place, short, known, wide, dotStyle, shareTick, base, levelLegend, figure, published } = report;

  function scatter() {
    const points = known([
      ...data.runs.flatMap((run) => data.levels.map((level) => find(run, level)).filter(Boolean).map((node) => ({ model: run, level: node.level, own: true, small: node.small,
        x: triple(node, "accuracy"), y: triple(node, "confidence"), gx: node.guesserAccuracy, gy: node.guesserConfidence, detail: size(node) }))),
      ...published.flatMap((model) => Object.entries(model.calibration).map(([level, values]) => ({ model: `${model.model} †`, level, own: false,
        x: [values[0], null, null], y: [values[1], null, null], detail: "published, digitised from figure 5" }))),
    ], (d) => d.x[0] === null ? null : d.y[0]);
    figure("scatter", (holder) => {
      levelLegend(holder);
      const side = Math.min(wide(), 720);
      const own = points.filter((d) => d.own);
      const last = data.runs.map((run) => own.filter((d) => d.model === run).at(-1)).filter(Boolean);
      const fill = (d) => levelColour(d.level);
      // Labels move down until they are a line apart, and up from the lower edge.
      const LINE = 14;
      const depth = side * 0.75 - 70;
      const sorted = d3.sort(last, (d) => -d.y[0]);
      let above = -Infinity;
      const labels = sorted.map((d, place) => {
        const middle = (1 - d.y[0]) * depth;
        above = Math.max(middle, above + LINE);
        return [d, Math.min(above, depth - LINE * (sorted.length - place - 0.5)) - middle];
      });
      holder.append(Plot.plot(base("Confidence against accuracy of each model and level", {
        width: side, height: side * 0.75, marginLeft: 46, marginRight: 20, marginBottom: 46, marginTop: 24,
        x: { label: "accuracy", grid: true, labelAnchor: "center", labelOffset: 40, labelArrow: "none", domain: [0, 1], tickFormat: shareTick }, y: { label: "confidence", grid: true, domain: [0, 1], tickFormat: shareTick },
        marks: [
          Plot.link([[0, 1]], { x1: (d) => d[0], y1: (d) => d[0], x2: (d) => d[1], y2: (d) => d[1], stroke: "currentColor", strokeDasharray: "4,3", strokeOpacity: 0.7 }),
          Plot.line(points, { x: (d) => d.x[0], y: (d) => d.y[0], z: "model", stroke: "currentColor", strokeOpacity: (d) => (d.own ? 0.5 : 0.12) }),
          Plot.dot(points.filter((d) => !d.own), { x: (d) => d.x[0], y: (d) => d.y[0], stroke: fill, r: 2.5, strokeOpacity: 0.6 }),
          Plot.dot(known(own, (d) => d.gy), { x: "gx", y: "gy", symbol: "times", stroke: "currentColor", r: 5 }),
          Plot.ruleY(known(own, (d) => d.x[1]), { y: (d) => d.y[0], x1: (d) => d.x[1], x2: (d) => d.x[2], stroke: fill, strokeOpacity: 0.5 }),
          Plot.ruleX(known(own, (d) => d.y[1]), { x: (d) => d.x[0], y1: (d) => d.y[1], y2: (d) => d.y[2], stroke: fill, strokeOpacity: 0.5 }),
          Plot.dot(own, { x: (d) => d.x[0], y: (d) => d.y[0], ...dotStyle(fill), r: 4 }),
          ...(side > 480 || labels.length < 4 ? labels : []).map(([d, dy]) => Plot.text([d], { x: (each) => each.x[0], y: (each) => each.y[0], text: (each) => short(each.model, 26), textAnchor: "end", dx: -14, dy, fill: "currentColor", stroke: "var(--paper)", strokeWidth: 3 })),
          Plot.tip(points, Plot.pointer({ x: (d) => d.x[0], y: (d) => d.y[0], title: (d) => `${d.model}, ${d.level}\naccuracy ${interval(d.x)}\nconfidence ${interval(d.y)}\n${d.detail}` })),
        ],
      })));
    });
    numbers(place("scatter-numbers"), "confidence_accuracy", ["model", "level", "accuracy", "confidence", "guesser's accuracy", "guesser's confidence"],
      points.map((d) => [d.model, d.level, d.x, d.y, d.gx, d.gy]));
  }

  report.sections.scatter = scatter;
})();
