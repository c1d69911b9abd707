"use strict";
/* What each degradation costs. */
(() => {
  const { data, element, select, numbers, digits, interval, label, size, place, short, longest, wide, base, figure, PUBLISHED } = report;

  function degradation() {
    let comparison = "L0_to_L2";
    let name = "accuracy";
    const again = figure("degradation", (holder) => {
      const rows = data.changes.filter((row) => row[1] === comparison && row[2] === "matched" && row[3] === "degradation" && row[5] === name)
        .map((row) => ({ run: data.runs[row[0]], node: row[4], estimate: row[6], low: row[7], high: row[8], n: row[9], clusters: row[10], small: Boolean(row[11]) }))
        .filter((row) => row.estimate !== null);
      numbers(place("degradation-numbers"), "degradation", ["model", "degradation", `change of ${label(name)}`, "n", "source questions"],
        rows.map((row) => [row.run, row.node, [row.estimate, row.low, row.high], row.n, row.clusters]));
      if (!rows.length) { holder.append(element("p", { class: "none" }, "No run has both levels.")); return; }
      const mean = d3.rollup(rows, (list) => d3.mean(list, (d) => d.estimate), (d) => d.node);
      const order = [...mean.keys()].sort((a, b) => mean.get(a) - mean.get(b));
      const most = Math.max(0.05, d3.quantile(rows.map((d) => Math.abs(d.estimate)).sort(d3.ascending), 0.98));
      const ramp = d3.scaleLinear([-most, 0, most], ["#df7a4d", "#f5f3ef", "#76a5dc"]).clamp(true).interpolate(d3.interpolateLab);
      const ink = "#14181e"; // at least 6 to 1 on every colour of the ramp
      const margin = longest(order.map(label), 30);
      const across = Math.min(110, Math.max(56, (wide() - margin - 20) / data.runs.length));
      holder.append(Plot.plot(base(`Change of ${label(name)} by degradation and model`, {
        width: margin + across * data.runs.length + 20, height: order.length * 26 + 110, marginLeft: margin, marginTop: 96, marginRight: 20,
        x: { domain: data.runs, padding: 0.03, axis: "top", label: null, tickRotate: -35, tickFormat: (text) => short(text, 18), tickSize: 0 },
        y: { domain: order, padding: 0.06, label: null, tickFormat: label, tickSize: 0 },
        marks: [
          Plot.cell(rows, { x: "run", y: "node", fill: (d) => ramp(d.estimate), inset: 1 }),
          Plot.text(rows, { x: "run", y: "node", text: (d) => digits(d.estimate, true).replace("0.", ".") + (d.small ? "*" : ""), fill: ink, fontVariant: "tabular-nums" }),
          Plot.tip(rows, Plot.pointer({ x: "run", y: "node", title: (d) => `${d.run}, ${label(d.node)}\nchange of ${label(name)} ${interval([d.estimate, d.low, d.high], true)}\n${size(d)}` })),
        ],
      })));
      for (const svg of holder.querySelectorAll("svg")) svg.style.maxWidth = "none";
    });
    select(place("degradation-controls"), "Change", [["L0_to_L2", "L0 to L2"], ["L0_to_L1", "L0 to L1"]], (value) => { comparison = value; again(); }, "degradation-comparison");
    select(place("degradation-controls"), "of", PUBLISHED.map((each) => [each, label(each)]), (value) => { name = value; again(); }, "degradation-figure");
  }

  report.sections.degradation = degradation;
})();
