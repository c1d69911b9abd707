"use strict";
/* Accuracy and confidence against a severity, one panel per modality of a degradation. */
(() => {
  const { data, element, select, numbers, interval, label, place, wide, base, legend, figure, runOptions } = report;
  const NAMES = ["accuracy", "confidence"];
  const fill = (name) => `var(--${name})`;

  function series() {
    const { summary, points } = data.curves;
    const rows = points.map(([model, degradation, modality, name, severity, estimate, low, high, value, unit]) => ({ model, degradation, modality, name, severity, estimate, low, high, value, unit }));
    const runs = [...new Set(summary.map((row) => row.model))];
    const kinds = [...new Set(summary.map((row) => row.degradation))];
    let run = runs[0];
    let kind = kinds[0];
    const beyond = (row, value) => (value === null ? `> ${row.stop}` : value.toFixed(2));
    const half = (row) => (row.ratio_low === null ? "–" : `${beyond(row, row.s50)} [${beyond(row, row.s50_low)}, ${beyond(row, row.s50_high)}]`);
    const trusted = (row) => (row.trusted_up_to === null ? "not established" : `up to ${row.trusted_up_to}`);

    function panel(row, width) {
      const own = rows.filter((point) => point.model === run && point.degradation === kind && point.modality === row.modality);
      const doses = own.filter((point) => point.name === "accuracy" && point.value !== null && [1, 2, 3].includes(point.severity));
      const unit = doses.length && doses[0].unit && doses[0].unit !== row.parameter ? ` (${doses[0].unit})` : "";
      const text = (point) => `${row.modality}, s = ${point.severity}\n${point.name} ${interval([point.estimate, point.low, point.high])}`;
      const found = row.ratio_low !== null;
      return element("div", {}, element("h3", {}, row.modality), Plot.plot(base(`Accuracy and confidence of ${run} against the severity of ${kind}, ${row.modality}`, {
        width, height: 220, marginLeft: 34, marginRight: 10, marginTop: 34, marginBottom: 28,
        x: { domain: [0, row.stop], label: null },
        y: { domain: [0, 1], grid: true, label: null, ticks: 5 },
        marks: [
          ...(found && row.s50_low !== null ? [Plot.rectX([row], { x1: "s50_low", x2: (d) => d.s50_high ?? d.stop, y1: 0, y2: 1, fill: "currentColor", fillOpacity: 0.1 })] : []),
          Plot.ruleX([1, 2].filter((s) => s <= row.stop), { stroke: "currentColor", strokeOpacity: 0.4, strokeDasharray: "1,3" }),
          ...(found && row.s50 !== null ? [Plot.ruleX([row.s50], { stroke: "currentColor", strokeDasharray: "5,3" })] : []),
          ...NAMES.flatMap((name) => {
            const line = own.filter((point) => point.name === name);
            return [
              Plot.areaY(line, { x: "severity", y1: "low", y2: "high", fill: fill(name), fillOpacity: 0.18 }),
              Plot.lineY(line, { x: "severity", y: "estimate", stroke: fill(name), strokeWidth: 1.6 }),
              Plot.dot(line, { x: "severity", y: "estimate", r: 2.5, fill: row.small ? "var(--paper)" : fill(name), stroke: fill(name) }),
            ];
          }),
          Plot.axisX(d3.range(0, row.stop + 0.01), { anchor: "bottom", tickFormat: (s) => ({ 1: "L1", 2: "L2" }[s] || String(s)), label: null }),
          Plot.axisX(doses.map((point) => point.severity), { anchor: "top", tickSize: 3, fontSize: 10, tickFormat: (s) => { const dose = doses.find((point) => point.severity === s); return dose ? d3.format(Math.abs(dose.value) < 1000 ? ".3~g" : ",.0f")(dose.value) : ""; }, label: row.parameter ? `${label(row.parameter)}${unit}` : null, labelAnchor: "left", labelArrow: "none", labelOffset: 30 }),
          Plot.tip(own, Plot.pointer({ x: "severity", y: "estimate", title: text })),
        ],
      })), element("p", { class: "footnote" }, `s50 ${half(row)}; cliff: ${row.cliff}; trusted: ${trusted(row)}`));
    }

    const again = figure("series", (holder) => {
      legend(holder, NAMES.map((name) => [name, fill(name)]));
      const shown = summary.filter((row) => row.model === run && row.degradation === kind);
      const columns = Math.max(1, Math.min(shown.length, Math.floor(wide() / 250)));
      const width = Math.min(340, wide() / columns - 16);
      const grid = element("div", { class: "panels" });
      grid.style.gridTemplateColumns = `repeat(${columns}, ${width}px)`;
      grid.append(...shown.map((row) => panel(row, width)));
      holder.append(grid);
    });
    if (runs.length > 1) select(place("series-controls"), "Model", runOptions.filter(([name]) => runs.includes(name)), (value) => { run = value; again(); }, "series-run");
    select(place("series-controls"), "Degradation", kinds.map((name) => [name, label(name)]), (value) => { kind = value; again(); }, "series-kind");
    numbers(place("series-numbers"), "series", ["model", "degradation", "modality", "figure", "severity", "value", "physical"],
      rows.map((row) => [row.model, row.degradation, row.modality, row.name, row.severity, [row.estimate, row.low, row.high], row.value]));
  }

  report.sections.series = series;
})();
