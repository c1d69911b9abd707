"use strict";
/* The change from clean images on MedQ-Deg and on wrapped tasks, model by model. */
(() => {
  const { data, element, numbers, interval, label, levelColour, place, short, known, longest, wide, dotStyle, signedTick, base, legend, figure, PUBLISHED } = report;

  function typical() {
    const level = (row) => row.comparison.replace("L0_to_", "");
    const rows = known(data.typical_drop, (row) => row.estimate).map((row) => ({ ...row, level: level(row), row: `${row.model}, ${row.benchmark}`, own: row.benchmark.startsWith("MedQ-Deg"),
      text: `${row.model}, ${row.benchmark}\nL0 to ${level(row)}: change of ${label(row.figure)} ${interval([row.estimate, row.low, row.high], true)}\nn = ${row.n}, ${row.clusters} source questions${row.small ? " (few)" : ""}` }));
    const order = [...new Set(rows.map((row) => row.row))];
    figure("typical", (holder) => {
      legend(holder, ["L1", "L2"].map((name) => [`L0 to ${name}`, levelColour(name)]));
      const grid = element("div", { class: "panels" });
      holder.append(grid);
      const narrow = wide() < 760;
      const margin = longest(order, 34);
      const plain = narrow ? Math.min(wide(), 520) - margin : (wide() - margin - 40) / 3;
      grid.style.gridTemplateColumns = narrow ? "1fr" : `${plain + margin}px ${plain}px ${plain}px`;
      PUBLISHED.forEach((name, index) => {
        const named = narrow || index === 0;
        const points = rows.filter((row) => row.figure === name);
        const fill = (row) => levelColour(row.level);
        grid.append(element("div", {}, element("h3", {}, label(name)), Plot.plot(base(`Change of ${label(name)} from clean images by benchmark`, {
          width: plain + (named ? margin : 0), height: order.length * 30 + 50, marginLeft: named ? margin : 10, marginRight: 14, marginTop: 10,
          x: { grid: true, label: null, ticks: 4, inset: 6, zero: true, tickFormat: signedTick },
          y: { domain: order, label: null, axis: named ? "left" : null, tickFormat: (text) => short(text, 34), tickSize: 0 },
          marks: [
            Plot.ruleX([0], { stroke: "currentColor" }),
            Plot.ruleX(points.filter((row) => row.own), { x: "estimate", stroke: fill, strokeDasharray: "3,3", strokeOpacity: 0.7 }),
            Plot.ruleY(known(points, (row) => row.low), { y: "row", x1: "low", x2: "high", stroke: fill, strokeWidth: 5, strokeOpacity: 0.3 }),
            Plot.dot(points, { x: "estimate", y: "row", ...dotStyle(fill), r: 4 }),
            Plot.tip(points, Plot.pointer({ x: "estimate", y: "row", title: "text" })),
          ],
        }))));
      });
      holder.append(element("p", { class: "footnote" }, "Bars: 95% intervals. Dashed: MedQ-Deg's change."));
    });
    numbers(place("typical-numbers"), "typical_drop", ["model", "benchmark", "from L0 to", "figure", "change", "n"],
      rows.map((row) => [row.model, row.benchmark, row.level, label(row.figure), [row.estimate, row.low, row.high], row.n]));
  }

  report.sections.typical = typical;
})();
