"use strict";
/* Dots with intervals by node: modalities, and the tree of capabilities, tasks and skills. */
(() => {
  const { data, element, select, numbers, interval, label, nodes, triple, find, levelColour, size, place, known, longest, wide, dotStyle, ticks, signedTick, shareTick, isSigned, lines, without, told, whyNot, reasons, frameOf, within, intervals, dotSize, base, levelLegend, figure, runOptions, figureOptions } = report;

  /* What a figure of some nodes draws: points by level, their axis, and which nodes have an interval that says
     something at any level. */
  function viewOf(run, figureName, order, get) {
    const points = known(order.flatMap((name) => data.levels.map((level) => get(run, level, name)).filter(Boolean).map((node) => {
      const [estimate, low, high, reason] = triple(node, figureName);
      const point = { name, level: node.level, estimate, low, high, reason, small: node.small, clusters: node.clusters };
      return { ...point, text: [`${name}, ${node.level}`, `${label(figureName)} ${interval([estimate, low, high], isSigned(figureName))}`, size(node), without(point)].filter(Boolean).join("\n") };
    })), (d) => d.estimate);
    const sizes = new Map(order.map((name) => [name, data.levels.map((level) => get(run, level, name)).filter(Boolean).map((node) => node.n.toLocaleString("en"))]));
    const narrow = wide() < 700;
    const most = narrow ? 18 : 36;
    const width = Math.min(wide(), 1100);
    const names = new Map(order.map((name) => [name, `${lines(name, most)}\nn ${sizes.get(name).join(" / ")}`]));
    const [left, right] = [longest([...names.values()].flatMap((text) => text.split("\n")), 40), narrow ? 12 : 250];
    const inner = width - left - right;
    const signed = isSigned(figureName);
    const frame = signed ? frameOf(points, inner) : [0, 1];
    const own = d3.group(points, (d) => d.name);
    const remark = (name) => ((own.get(name) ?? []).some((d) => told(d, frame)) ? "" : whyNot((own.get(name) ?? []).at(-1) ?? {}, frame));
    return { figureName, points, own, names, narrow, width, left, right, inner, signed, frame, remark };
  }

  function nodeDots(holder, view, order, text) {
    const { figureName, points, own, names, narrow, width, left, right, inner, signed, frame, remark } = view;
    const place = (level) => data.levels.indexOf(level);
    const dy = (level) => (place(level) - 1) * 8;
    const stroke = (d) => levelColour(d.level);
    // A value beyond the axis is written where nothing else of its row reaches the same end.
    const reach = (d, side) => (side > 0 ? Math.max(d.estimate, told(d, frame) ? d.high : d.estimate) : -Math.min(d.estimate, told(d, frame) ? d.low : d.estimate));
    const room = (60 / inner) * (frame[1] - frame[0]);
    const labelled = (d) => {
      const side = d.estimate > frame[1] ? 1 : -1;
      const end = (side > 0 ? frame[1] : -frame[0]) - room;
      return own.get(d.name).every((other) => other === d || reach(other, side) < end);
    };
    const height = 14 * Math.max(2, ...order.map((name) => names.get(name).split("\n").length)) + 10;
    const grey = order.filter(remark);
    const axis = { label: null, tickSize: 0, tickFormat: (name) => names.get(name) + (narrow && remark(name) ? "°" : "") };
    levelLegend(holder);
    holder.append(Plot.plot(base(text, {
      width, height: order.length * height + 64, marginLeft: left, marginRight: right, marginTop: 8, marginBottom: 46,
      x: { grid: true, ticks: ticks(inner), label: `${label(figureName)}${signed ? ", points" : ""}`, labelAnchor: "center", labelOffset: 40, labelArrow: "none", domain: frame, tickFormat: signed ? signedTick : shareTick },
      y: { domain: order, axis: null },
      marks: [
        Plot.axisY(order.filter((name) => !remark(name)), axis),
        Plot.axisY(grey, { ...axis, fill: "var(--soft)" }),
        ...(signed ? [Plot.ruleX([0], { stroke: "currentColor" })] : []),
        ...(narrow ? [] : [Plot.text(grey, { y: (d) => d, text: remark, frameAnchor: "right", textAnchor: "start", dx: 8, fontSize: 11, fill: "var(--soft)" })]),
        ...data.levels.flatMap((level) => {
          const shown = points.filter((d) => d.level === level);
          return [
            ...intervals(shown, frame, { y: "name", stroke, dy: dy(level) }, labelled),
            Plot.dot(within(shown.filter((d) => told(d, frame)), frame), { y: "name", x: "estimate", ...dotStyle(stroke), r: dotSize, dy: dy(level) }),
            Plot.dot(within(shown.filter((d) => !told(d, frame)), frame), { y: "name", x: "estimate", fill: "var(--paper)", stroke, strokeOpacity: 0.7, r: 2, dy: dy(level), className: "without-interval" }),
            Plot.tip(shown, Plot.pointer({ y: "name", x: "estimate", title: "text", dy: dy(level) })),
          ];
        }),
      ],
    })));
    if (narrow) reasons(holder, order.map(remark));
  }

  const remarkOf = (node, name) => {
    const [estimate, low, , reason] = triple(node, name);
    return estimate === null ? "" : without({ low, reason, clusters: node.clusters });
  };

  function modality() {
    let run = data.runs[0];
    let name = "agreement_gap";
    const order = [...new Set(nodes.filter((node) => node.axis === "modality").map((node) => node.node))].sort();
    const again = figure("modality", (holder) => {
      const view = viewOf(run, name, order, (own, level, node) => find(own, level, "modality", node));
      nodeDots(holder, view, [...order].sort((a, b) => Boolean(view.remark(a)) - Boolean(view.remark(b))), `${label(name)} of ${run} by modality and level`);
      numbers(place("modality-numbers"), "modality", ["model", "modality", "level", label(name), "n", "source questions", "remark"],
        nodes.filter((node) => node.axis === "modality").map((node) => [node.run, node.node, node.level, triple(node, name), node.n, node.clusters, remarkOf(node, name)]));
    });
    select(place("modality-controls"), "Model", runOptions, (value) => { run = value; again(); }, "modality-run");
    select(place("modality-controls"), "Figure", figureOptions, (value) => { name = value; again(); }, "modality-figure").value = name;
  }

  /* Rows of the tree in which, among neighbours of one depth, those that say nothing come last. A row that is open
     stays above those within it. */
  function arranged(rows, last) {
    const found = [];
    for (let start = 0; start < rows.length; ) {
      let end = start;
      while (end < rows.length && rows[end][0] === rows[start][0]) end += 1;
      if (end < rows.length && rows[end][0] > rows[start][0]) end = Math.max(end - 1, start);
      const run = rows.slice(start, Math.max(end, start + 1));
      found.push(...run.filter((row) => !last(row)), ...run.filter(last));
      start += run.length;
    }
    return found;
  }

  function hierarchy() {
    let run = data.runs[0];
    let name = "agreement_gap";
    const open = new Set();
    const axisOf = new Map();
    for (const [capability, tasks] of Object.entries(data.tree)) {
      axisOf.set(`0${capability}`, "capability");
      for (const [task, skills] of Object.entries(tasks)) {
        axisOf.set(`1${task}`, "task");
        for (const skill of skills) axisOf.set(`2${skill}`, "skill");
      }
    }
    const has = (axis, node) => data.levels.some((level) => find(run, level, axis, node));
    const visible = () => Object.entries(data.tree).filter(([capability]) => has("capability", capability)).flatMap(([capability, tasks]) => [
      [0, capability, true],
      ...(open.has(`0${capability}`) ? Object.entries(tasks).filter(([task]) => has("task", task)).flatMap(([task, skills]) => [
        [1, task, true],
        ...(open.has(`1${task}`) ? skills.filter((skill) => has("skill", skill)).map((skill) => [2, skill, false]) : []),
      ]) : []),
    ]);
    const again = figure("hierarchy", (holder) => {
      const list = element("ul", { class: "tree", "aria-label": "Capabilities, tasks and skills" });
      const key = (depth, node) => `${["", "› ", "›› "][depth]}${node}`;
      const found = visible();
      const back = new Map(found.map(([depth, node]) => [key(depth, node), [axisOf.get(`${depth}${node}`), node]]));
      const view = viewOf(run, name, [...back.keys()], (own, level, text) => find(own, level, ...back.get(text)));
      const rows = arranged(found, ([depth, node]) => Boolean(view.remark(key(depth, node))));
      for (const [depth, node, opens] of rows) {
        const id = `${depth}${node}`;
        const sizes = data.levels.map((level) => [level, find(run, level, axisOf.get(id), node)]).filter(([, found]) => found);
        const line = element("li");
        line.style.paddingLeft = `${depth * 1.5}rem`;
        if (opens) {
          const button = element("button", { type: "button", "aria-expanded": String(open.has(id)), "aria-label": `${open.has(id) ? "Close" : "Open"} ${node}` }, open.has(id) ? "−" : "+");
          button.addEventListener("click", () => {
            if (!open.delete(id)) open.add(id);
            again();
            [...place("hierarchy-plot").querySelectorAll("button")].find((each) => each.dataset.key === id)?.focus();
          });
          button.dataset.key = id;
          line.append(button, " ");
        }
        line.append(node, ...sizes.map(([level, { n, small }], at) => element("span", { class: "interval" }, `${at ? ", " : "  "}${level} n = ${n.toLocaleString("en")}${small ? "*" : ""}`)));
        list.append(line);
      }
      holder.append(list);
      nodeDots(holder, view, rows.map(([depth, node]) => key(depth, node)), `${label(name)} of ${run} by skill and level`);
      numbers(place("hierarchy-numbers"), "skills", ["model", "axis", "node", "level", label(name), "n", "source questions", "remark"],
        nodes.filter((node) => node.run === run && ["capability", "task", "skill"].includes(node.axis)).map((node) => [node.run, node.axis, node.node, node.level, triple(node, name), node.n, node.clusters, remarkOf(node, name)]));
    });
    select(place("hierarchy-controls"), "Model", runOptions, (value) => { run = value; again(); }, "hierarchy-run");
    select(place("hierarchy-controls"), "Figure", figureOptions, (value) => { name = value; again(); }, "hierarchy-figure").value = name;
    const every = element("button", { type: "button", id: "hierarchy-all" }, "Open all");
    every.addEventListener("click", () => { const all = open.size > 0; open.clear(); if (!all) for (const key of axisOf.keys()) open.add(key); every.textContent = all ? "Open all" : "Close all"; again(); });
    place("hierarchy-controls").append(every);
  }

  report.sections.modality = modality;
  report.sections.hierarchy = hierarchy;
})();
