"use strict";
/* What each degradation costs. */
(() => {
  const { data, element, select, numbers, digits, interval, label, frameOf, within, intervals, lines, dotStyle, dotSize, signedTick, size, place, short, longest, wide, base, figure, PUBLISHED } = report;

  const tip = (name) => (d) => `${d.run}, ${label(d.node)}\nchange of ${label(name)} ${interval([d.estimate, d.low, d.high], true)}\n${size(d)}`;

  /* One run: a bar for each degradation, with its interval and n. */
  function bars(holder, rows, order, name) {
    const frame = frameOf(rows);
    const sizes = new Map(rows.map((d) => [d.node, `n ${d.n.toLocaleString("en")}${d.small ? "*" : ""}`]));
    const stroke = () => "var(--l2)";
    holder.append(Plot.plot(base(`Change of ${label(name)} by degradation`, {
      width: Math.min(wide(), 900), height: order.length * 26 + 64, marginLeft: longest(order.map(label), 30), marginRight: 70, marginTop: 8, marginBottom: 46,
      x: { grid: true, domain: frame, label: `change of ${label(name)}, points`, labelAnchor: "center", labelOffset: 40, labelArrow: "none", tickFormat: signedTick },
      y: { domain: order, padding: 0.35, label: null, tickFormat: label, tickSize: 0 },
      marks: [
        Plot.barX(rows, { y: "node", x1: 0, x2: (d) => Math.max(frame[0], Math.min(frame[1], d.estimate)), fill: "var(--l2)", fillOpacity: (d) => (d.small ? 0.25 : 0.6) }),
        Plot.ruleX([0], { stroke: "currentColor" }),
        ...intervals(rows, frame, { y: "node", stroke: "currentColor" }),
        Plot.dot(within(rows, frame), { y: "node", x: "estimate", ...dotStyle(stroke), r: dotSize }),
        Plot.text(order, { y: (d) => d, text: (d) => sizes.get(d), frameAnchor: "right", textAnchor: "start", dx: 8, fill: "currentColor", fillOpacity: 0.75 }),
        Plot.tip(rows, Plot.pointer({ y: "node", x: "estimate", title: tip(name) })),
      ],
    })));
  }

  /* Several runs: a cell for each degradation and run, with its n. */
  function cells(holder, rows, order, name) {
    const most = Math.max(0.05, d3.quantile(rows.map((d) => Math.abs(d.estimate)).sort(d3.ascending), 0.98));
    const ramp = d3.scaleLinear([-most, 0, most], ["#df7a4d", "#f5f3ef", "#76a5dc"]).clamp(true).interpolate(d3.interpolateLab);
    const ink = "#14181e"; // at least 6 to 1 on every colour of the ramp
    const margin = longest(order.map(label), 30);
    const across = Math.min(120, Math.max(74, (wide() - margin - 20) / data.runs.length));
    const heads = new Map(data.runs.map((run) => [run, lines(run, Math.floor(across / 7))]));
    const above = 12 + 14 * Math.max(...[...heads.values()].map((text) => text.split("\n").length));
    holder.append(Plot.plot(base(`Change of ${label(name)} by degradation and model`, {
      width: margin + across * data.runs.length + 20, height: order.length * 34 + above + 10, marginLeft: margin, marginTop: above, marginRight: 20, marginBottom: 10,
      x: { domain: data.runs, padding: 0.03, axis: "top", label: null, tickFormat: (run) => heads.get(run), tickSize: 0 },
      y: { domain: order, padding: 0.06, label: null, tickFormat: label, tickSize: 0 },
      marks: [
        Plot.cell(rows, { x: "run", y: "node", fill: (d) => ramp(d.estimate), fillOpacity: (d) => (d.small ? 0.45 : 1), inset: 1 }),
        Plot.text(rows, { x: "run", y: "node", text: (d) => digits(d.estimate, true) + (d.small ? "*" : ""), dy: -6, fill: (d) => (d.small ? "currentColor" : ink), fontVariant: "tabular-nums" }),
        Plot.text(rows, { x: "run", y: "node", text: (d) => `n ${d.n.toLocaleString("en")}`, dy: 7, fontSize: 10, fill: (d) => (d.small ? "currentColor" : ink) }),
        Plot.tip(rows, Plot.pointer({ x: "run", y: "node", title: tip(name) })),
      ],
    })));
    for (const svg of holder.querySelectorAll("svg")) svg.style.maxWidth = "none";
  }

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
      (data.runs.length === 1 ? bars : cells)(holder, rows, order, name);
    });
    select(place("degradation-controls"), "Change", [["L0_to_L2", "L0 to L2"], ["L0_to_L1", "L0 to L1"]], (value) => { comparison = value; again(); }, "degradation-comparison");
    select(place("degradation-controls"), "of", PUBLISHED.map((each) => [each, label(each)]), (value) => { name = value; again(); }, "degradation-figure");
  }

  report.sections.degradation = degradation;
})();
