"use strict";
/* Dots with intervals by node: modalities, and the tree of capabilities, tasks and skills. */
(() => {
  const { data, element, select, numbers, interval, label, nodes, triple, find, levelColour, size, place, short, known, longest, wide, dotStyle, signedTick, shareTick, isSigned, frameOf, within, intervals, dotSize, base, levelLegend, figure, runOptions, figureOptions } = report;

  function nodeDots(holder, run, figureName, order, get, text) {
    const points = known(order.flatMap((name) => data.levels.map((level) => get(run, level, name)).filter(Boolean).map((node) => {
      const [estimate, low, high] = triple(node, figureName);
      return { name, level: node.level, estimate, low, high, small: node.small, clusters: node.clusters,
        text: `${name}, ${node.level}\n${label(figureName)} ${interval([estimate, low, high], isSigned(figureName))}\n${size(node)}` };
    })), (d) => d.estimate);
    const signed = isSigned(figureName);
    const frame = signed ? frameOf(points) : [0, 1];
    const sizes = new Map(order.map((name) => [name, data.levels.map((level) => get(run, level, name)).filter(Boolean).map((node) => node.n.toLocaleString("en"))]));
    const dy = (level) => (data.levels.indexOf(level) - 1) * 7;
    const stroke = (d) => levelColour(d.level);
    const most = wide() < 600 ? 20 : 36;
    levelLegend(holder);
    holder.append(Plot.plot(base(text, {
      width: Math.min(wide(), 900), height: order.length * 38 + 64, marginLeft: longest([...order, ...[...sizes.values()].map((each) => `n ${each.join(" / ")}`)], most), marginRight: 20, marginTop: 8, marginBottom: 46,
      x: { grid: true, label: `${label(figureName)}${signed ? ", points" : ""}`, labelAnchor: "center", labelOffset: 40, labelArrow: "none", domain: frame, tickFormat: signed ? signedTick : shareTick },
      y: { domain: order, label: null, tickFormat: (name) => `${short(name, most)}\nn ${sizes.get(name).join(" / ")}`, tickSize: 0 },
      marks: [
        ...(signed ? [Plot.ruleX([0], { stroke: "currentColor" })] : []),
        ...data.levels.flatMap((level) => {
          const own = points.filter((d) => d.level === level);
          return [
            ...intervals(own, frame, { y: "name", stroke, dy: dy(level) }),
            Plot.dot(within(own, frame), { y: "name", x: "estimate", ...dotStyle(stroke), r: dotSize, dy: dy(level) }),
            Plot.tip(own, Plot.pointer({ y: "name", x: "estimate", title: "text", dy: dy(level) })),
          ];
        }),
      ],
    })));
  }

  function modality() {
    let run = data.runs[0];
    let name = "agreement_gap";
    const order = [...new Set(nodes.filter((node) => node.axis === "modality").map((node) => node.node))].sort();
    const again = figure("modality", (holder) => {
      nodeDots(holder, run, name, order, (own, level, node) => find(own, level, "modality", node), `${label(name)} of ${run} by modality and level`);
      numbers(place("modality-numbers"), "modality", ["model", "modality", "level", label(name), "n", "source questions"],
        nodes.filter((node) => node.axis === "modality").map((node) => [node.run, node.node, node.level, triple(node, name), node.n, node.clusters]));
    });
    select(place("modality-controls"), "Model", runOptions, (value) => { run = value; again(); }, "modality-run");
    select(place("modality-controls"), "Figure", figureOptions, (value) => { name = value; again(); }, "modality-figure").value = name;
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
      const rows = visible();
      for (const [depth, node, opens] of rows) {
        const key = `${depth}${node}`;
        const sizes = data.levels.map((level) => [level, find(run, level, axisOf.get(key), node)]).filter(([, found]) => found);
        const line = element("li");
        line.style.paddingLeft = `${depth * 1.5}rem`;
        if (opens) {
          const button = element("button", { type: "button", "aria-expanded": String(open.has(key)), "aria-label": `${open.has(key) ? "Close" : "Open"} ${node}` }, open.has(key) ? "−" : "+");
          button.addEventListener("click", () => {
            if (!open.delete(key)) open.add(key);
            again();
            [...place("hierarchy-plot").querySelectorAll("button")].find((each) => each.dataset.key === key)?.focus();
          });
          button.dataset.key = key;
          line.append(button, " ");
        }
        line.append(node, element("span", { class: "interval" }, `  ${sizes.map(([level, found]) => `${level} n = ${found.n.toLocaleString("en")}${found.small ? "*" : ""}`).join(", ")}`));
        list.append(line);
      }
      holder.append(list);
      const key = (depth, node) => `${["", "› ", "›› "][depth]}${node}`;
      const back = new Map(rows.map(([depth, node]) => [key(depth, node), [axisOf.get(`${depth}${node}`), node]]));
      nodeDots(holder, run, name, [...back.keys()], (own, level, text) => find(own, level, ...back.get(text)), `${label(name)} of ${run} by skill and level`);
      numbers(place("hierarchy-numbers"), "skills", ["model", "axis", "node", "level", label(name), "n", "source questions"],
        nodes.filter((node) => node.run === run && ["capability", "task", "skill"].includes(node.axis)).map((node) => [node.run, node.axis, node.node, node.level, triple(node, name), node.n, node.clusters]));
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
