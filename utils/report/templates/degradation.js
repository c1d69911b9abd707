"use strict";
/* What each degradation costs. */
(() => {
  const { data, element, select, numbers, digits, interval, label, without, reasons, frameOf, within, intervals, lines, dotStyle, dotSize, ticks, signedTick, size, place, longest, wide, base, figure } = report;

  const tip = (name) => (d) => `${d.run}, ${label(d.node)}\nchange of ${label(name)} ${interval([d.estimate, d.low, d.high], true)}\n${[size(d), without(d)].filter(Boolean).join("\n")}`;

  /* The degradations that have an interval, the costliest first, and those that have none, those of most items first:
     their values are no order. */
  function orders(rows) {
    const own = d3.group(rows, (d) => d.node);
    const cost = new Map([...own].map(([node, list]) => [node, d3.mean(list.filter((d) => !without(d)), (d) => d.estimate)]));
    const n = (node) => d3.sum(own.get(node), (d) => d.n);
    const names = [...own.keys()];
    return [
      names.filter((node) => cost.get(node) !== undefined).sort((a, b) => cost.get(a) - cost.get(b)),
      names.filter((node) => cost.get(node) === undefined).sort((a, b) => n(b) - n(a)),
    ];
  }

  /* The names on the left; those of degradations without an interval are grey. */
  const names = (known, others) => [
    Plot.axisY(known, { label: null, tickFormat: label, tickSize: 0 }),
    Plot.axisY(others, { label: null, tickFormat: label, tickSize: 0, fill: "var(--soft)" }),
  ];

  /* One run: a bar for each degradation that has an interval, an open dot for the others, and n. */
  function bars(holder, rows, [known, others], name) {
    const order = [...known, ...others];
    const narrow = wide() < 700;
    const width = Math.min(wide(), 1100);
    const [left, right] = [longest(order.map(label), 30), narrow ? 62 : 330];
    const inner = width - left - right;
    const frame = frameOf(rows, inner);
    const firm = rows.filter((d) => !without(d));
    const open = rows.filter(without);
    const sizes = new Map(rows.map((d) => [d.node, `n ${d.n.toLocaleString("en")}${d.small ? "*" : ""}${without(d) ? (narrow ? "°" : `  ${without(d)}`) : ""}`]));
    holder.append(Plot.plot(base(`Change of ${label(name)} by degradation`, {
      width, height: order.length * 26 + 64, marginLeft: left, marginRight: right, marginTop: 8, marginBottom: 46,
      x: { grid: true, domain: frame, ticks: ticks(inner), label: `change of ${label(name)}, points`, labelAnchor: "center", labelOffset: 40, labelArrow: "none", tickFormat: signedTick },
      y: { domain: order, padding: 0.35, axis: null },
      marks: [
        ...names(known, others),
        Plot.barX(firm, { y: "node", x1: 0, x2: (d) => Math.max(frame[0], Math.min(frame[1], d.estimate)), fill: "var(--l2)", fillOpacity: (d) => (d.small ? 0.3 : 0.6) }),
        Plot.ruleX([0], { stroke: "currentColor" }),
        ...(known.length && others.length ? [Plot.ruleY(known.slice(-1), { y: (d) => d, dy: 13, stroke: "currentColor", strokeOpacity: 0.4, strokeDasharray: "2,3" })] : []),
        ...intervals(firm, frame, { y: "node", stroke: "currentColor" }),
        ...intervals(open, frame, { y: "node", stroke: "var(--soft)" }),
        Plot.dot(within(firm, frame), { y: "node", x: "estimate", ...dotStyle(() => "var(--l2)"), r: dotSize }),
        Plot.dot(within(open, frame), { y: "node", x: "estimate", fill: "var(--paper)", stroke: "var(--soft)", r: 2.6, className: "without-interval" }),
        Plot.text(order, { y: (d) => d, text: (d) => sizes.get(d), frameAnchor: "right", textAnchor: "start", dx: 8, fontSize: 11, fill: (d) => (known.includes(d) ? "currentColor" : "var(--soft)") }),
        Plot.tip(rows, Plot.pointer({ y: "node", x: "estimate", title: tip(name) })),
      ],
    })));
    if (narrow) reasons(holder, rows.map(without));
  }

  /* Several runs: a cell for each degradation and run, with its n. */
  function cells(holder, rows, [known, others], name) {
    const order = [...known, ...others];
    const most = Math.max(0.05, d3.quantile((known.length ? rows.filter((d) => !without(d)) : rows).map((d) => Math.abs(d.estimate)).sort(d3.ascending), 0.98));
    const ramp = d3.scaleLinear([-most, 0, most], ["#df7a4d", "#f5f3ef", "#76a5dc"]).clamp(true).interpolate(d3.interpolateLab);
    const ink = "#14181e"; // at least 6 to 1 on every colour of the ramp
    const text = (d) => (without(d) ? "var(--soft)" : d.small ? "currentColor" : ink);
    const margin = longest(order.map(label), 30);
    const across = Math.min(120, Math.max(74, (wide() - margin - 20) / data.runs.length));
    const heads = new Map(data.runs.map((run) => [run, lines(run, Math.floor(across / 7))]));
    const above = 12 + 14 * Math.max(...[...heads.values()].map((text) => text.split("\n").length));
    holder.append(Plot.plot(base(`Change of ${label(name)} by degradation and model`, {
      width: margin + across * data.runs.length + 20, height: order.length * 34 + above + 10, marginLeft: margin, marginTop: above, marginRight: 20, marginBottom: 10,
      x: { domain: data.runs, padding: 0.03, axis: "top", label: null, tickFormat: (run) => heads.get(run), tickSize: 0 },
      y: { domain: order, padding: 0.06, axis: null },
      marks: [
        ...names(known, others),
        Plot.cell(rows.filter((d) => !without(d)), { x: "run", y: "node", fill: (d) => ramp(d.estimate), fillOpacity: (d) => (d.small ? 0.45 : 1), inset: 1 }),
        Plot.cell(rows.filter(without), { x: "run", y: "node", fill: "none", stroke: "var(--line)", inset: 1, className: "without-interval" }),
        Plot.text(rows, { x: "run", y: "node", text: (d) => digits(d.estimate, true) + (d.small ? "*" : "") + (without(d) ? "°" : ""), dy: -6, fill: text, fontVariant: "tabular-nums" }),
        Plot.text(rows, { x: "run", y: "node", text: (d) => `n ${d.n.toLocaleString("en")}`, dy: 7, fontSize: 10, fill: text }),
        Plot.tip(rows, Plot.pointer({ x: "run", y: "node", title: tip(name) })),
      ],
    })));
    for (const svg of holder.querySelectorAll("svg")) svg.style.maxWidth = "none";
    reasons(holder, rows.map(without));
  }

  function degradation() {
    let comparison = "L0_to_L2";
    let name = "accuracy";
    const again = figure("degradation", (holder) => {
      const rows = data.changes.filter((row) => row[1] === comparison && row[2] === "matched" && row[3] === "degradation" && row[5] === name)
        .map((row) => ({ run: data.runs[row[0]], node: row[4], estimate: row[6], low: row[7], high: row[8], n: row[9], clusters: row[10], small: Boolean(row[11]), reason: row[12] }))
        .filter((row) => row.estimate !== null);
      numbers(place("degradation-numbers"), "degradation", ["model", "degradation", `change of ${label(name)}`, "n", "source questions", "remark"],
        rows.map((row) => [row.run, row.node, [row.estimate, row.low, row.high], row.n, row.clusters, without(row)]));
      if (!rows.length) { holder.append(element("p", { class: "none" }, "No run has both levels.")); return; }
      (data.runs.length === 1 ? bars : cells)(holder, rows, orders(rows), name);
    });
    select(place("degradation-controls"), "Change", [["L0_to_L2", "L0 to L2"], ["L0_to_L1", "L0 to L1"]], (value) => { comparison = value; again(); }, "degradation-comparison");
    select(place("degradation-controls"), "of", [...new Set(data.changes.map((row) => row[5]))].map((each) => [each, label(each)]), (value) => { name = value; again(); }, "degradation-figure");
  }

  report.sections.degradation = degradation;
})();
