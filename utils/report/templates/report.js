"use strict";
(() => {
  const { data, element, theme, select, enhance, numbers, digits, interval } = medq;
  const figureNames = Object.keys(data.figures);
  const FIRST = 10;
  const column = Object.fromEntries(figureNames.map((name, place) => [name, FIRST + place]));
  const label = (name) => name.replaceAll("_", " ");
  const nodes = data.nodes.map((row) => ({
    run: data.runs[row[0]], level: row[1], axis: row[2], node: row[3], n: row[4], clusters: row[5], small: Boolean(row[6]),
    guesserAccuracy: row[7], guesserConfidence: row[8], guesserShift: row[9], row,
  }));
  const triple = (node, name) => node.row[column[name]] || [null, null, null];
  const at = new Map(nodes.map((node) => [JSON.stringify([node.run, node.level, node.axis, node.node]), node]));
  const find = (run, level, axis = "overall", name = "all") => at.get(JSON.stringify([run, level, axis, name]));
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const levelColour = (level) => `var(--${level.toLowerCase()})`;
  const size = (node) => `n = ${node.n.toLocaleString("en")}, ${node.clusters.toLocaleString("en")} source questions${node.small ? " (few)" : ""}`;
  const place = (id) => document.getElementById(id);
  // Names of models often differ at their ends.
  const short = (text, most) => (text.length > most ? `${text.slice(0, Math.ceil(most / 2) - 1)}…${text.slice(-Math.floor(most / 2))}` : text);
  const known = (list, get) => list.filter((entry) => get(entry) !== null && get(entry) !== undefined);
  const longest = (names, most) => Math.max(...names.map((name) => short(name, most).length), 4) * 6.8 + 16;
  const wide = () => Math.max(320, Math.min(1100, place("main").clientWidth - 48));
  // Dots are open where there are fewer than 30 source questions.
  const dotStyle = (colour) => ({ fill: (d) => (d.small ? "var(--paper)" : colour(d)), stroke: colour, strokeWidth: 1.5 });
  const signedTick = (value) => (value === 0 ? "0" : d3.format("+.2~f")(value));
  const base = (text, options) => ({ ariaLabel: text, style: { background: "transparent", fontSize: "12px" }, ...options });

  function legend(parent, entries) {
    parent.append(element("ul", { class: "legend" }, ...entries.map(([text, fill]) => {
      const dot = element("i");
      dot.style.background = fill;
      return element("li", {}, dot, text);
    })));
  }
  const levelLegend = (parent) => legend(parent, data.levels.map((level) => [level === "L0" ? "L0, clean" : level, levelColour(level)]));

  const drawn = [];
  function figure(id, draw) {
    const again = () => {
      const holder = place(`${id}-plot`);
      holder.replaceChildren();
      draw(holder);
    };
    drawn.push(again);
    return again;
  }

  function severity() {
    figure("severity", (holder) => {
      legend(holder, [["accuracy", "var(--accuracy)"], ["confidence", "var(--confidence)"]]);
      const grid = element("div", { class: "panels" });
      const width = Math.min(wide(), data.runs.length === 1 ? 640 : data.runs.length < 4 ? 340 : 270);
      grid.style.gridTemplateColumns = `repeat(auto-fill, minmax(min(100%, ${width}px), 1fr))`;
      holder.append(grid);
      for (const run of data.runs) {
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
          width, height: 60 + width * 0.5, marginLeft: 36, marginRight: 14,
          x: { type: "point", domain: data.levels, label: null, padding: 0.25 }, y: { domain: [0, 1], grid: true, label: null, ticks: 5 },
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

  const published = data.published.filter((model) => Object.keys(model.calibration).length);
  const PUBLISHED = ["accuracy", "confidence", "calibration_shift"];

  function dumbbell() {
    let withPublished = published.length > 0;
    const ofOthers = new Set(published.map((model) => `${model.model} †`));
    const marked = (model) => (Object.hasOwn(data.not_ranked, model) ? `${short(model, 26)} ‡` : short(model, 28));
    const rowsOf = () => [
      ...data.runs.flatMap((run) => data.levels.map((level) => find(run, level)).filter(Boolean).map((node) => ({
        model: run, level: node.level, own: true, small: node.small, guesser: node.guesserShift, detail: size(node),
        values: Object.fromEntries(PUBLISHED.map((name) => [name, triple(node, name)])) }))),
      ...(withPublished ? published.flatMap((model) => Object.entries(model.calibration).map(([level, values]) => ({
        model: `${model.model} †`, level, own: false, guesser: null, detail: "published, digitised from figure 5",
        values: Object.fromEntries(PUBLISHED.map((name, index) => [name, [values[index], null, null]])) }))) : []),
    ];
    const again = figure("dumbbell", (holder) => {
      const rows = rowsOf();
      const last = new Map();
      for (const row of rows) if (row.values.calibration_shift[0] !== null) last.set(row.model, row.values.calibration_shift[0]);
      // What is not ranked comes last; models on other items come in a block of their own.
      const block = (model) => (Object.hasOwn(data.not_ranked, model) ? 1 : 0) + (ofOthers.has(model) && !data.same_items ? 2 : 0);
      const order = [...new Set(rows.map((row) => row.model))].sort((a, b) => block(a) - block(b) || (last.get(b) ?? -9) - (last.get(a) ?? -9));
      levelLegend(holder);
      const grid = element("div", { class: "panels" });
      holder.append(grid);
      const narrow = wide() < 760;
      const margin = longest(order, 28);
      const plain = narrow ? Math.min(wide(), 520) : (wide() - margin - 40) / 3;
      if (!narrow) grid.style.gridTemplateColumns = `${plain + margin}px ${plain}px ${plain}px`;
      else grid.style.gridTemplateColumns = "1fr";
      PUBLISHED.forEach((name, index) => {
        const named = narrow || index === 0;
        const points = known(rows.map((row) => ({ ...row, value: row.values[name][0], low: row.values[name][1], high: row.values[name][2],
          text: `${row.model}, ${row.level}\n${label(name)} ${interval(row.values[name], name === "calibration_shift")}\n${row.detail}` })), (d) => d.value);
        const bounded = known(points, (d) => d.low);
        const shift = name === "calibration_shift";
        const fill = (d) => levelColour(d.level);
        const guess = shift ? known(points.filter((d) => d.level === data.levels[0]), (d) => d.guesser) : [];
        grid.append(element("div", {}, element("h3", {}, label(name)), Plot.plot(base(`${label(name)} of each model by level`, {
          width: plain + (named && !narrow ? margin : 0), height: order.length * 24 + 50, marginLeft: named ? margin : 10, marginRight: 14, marginTop: 10,
          x: { grid: true, label: null, ticks: 4, inset: 6, zero: shift, domain: shift ? undefined : [0, 1], tickFormat: shift ? signedTick : ".1f" },
          y: { domain: order, label: null, axis: named ? "left" : null, tickFormat: marked, tickSize: 0 },
          marks: [
            ...(shift ? [Plot.ruleX([0], { stroke: "currentColor" })] : []),
            Plot.ruleY(order, { stroke: "currentColor", strokeOpacity: 0.08 }),
            Plot.line(points, { x: "value", y: "model", z: "model", stroke: "currentColor", strokeOpacity: 0.35, strokeWidth: 2 }),
            Plot.ruleY(bounded, { y: "model", x1: "low", x2: "high", stroke: fill, strokeWidth: 5, strokeOpacity: 0.3 }),
            Plot.dot(guess, { y: "model", x: "guesser", symbol: "times", stroke: "currentColor", r: 4 }),
            Plot.dot(points, { x: "value", y: "model", ...dotStyle(fill), r: 4 }),
            Plot.tip(points, Plot.pointer({ x: "value", y: "model", title: "text" })),
          ],
        }))));
      });
      holder.append(element("p", { class: "footnote" }, `Bars: 95% intervals. ×: the guesser's shift.${withPublished ? " †: published, read off figure 5." : ""}${Object.entries(data.not_ranked).map(([run, why]) => ` ‡ ${run} is not ranked: ${why}.`).join("")}`));
    });
    if (published.length) {
      const box = element("input", { type: "checkbox", checked: true, id: "dumbbell-published" });
      place("dumbbell-controls").append(element("label", { for: "dumbbell-published" }, box, " published models"));
      box.addEventListener("change", () => { withPublished = box.checked; again(); });
    }
    numbers(place("dumbbell-numbers"), "levels", ["model", "level", ...PUBLISHED.map(label), "guesser's shift", "from"],
      rowsOf().map((row) => [row.model, row.level, ...PUBLISHED.map((name) => row.values[name]), row.guesser, row.own ? "this report" : row.detail]));
  }

  function nodeDots(holder, run, figureName, order, get, text) {
    const points = known(order.flatMap((name) => data.levels.map((level) => get(run, level, name)).filter(Boolean).map((node) => {
      const [estimate, low, high] = triple(node, figureName);
      return { name, level: node.level, estimate, low, high, small: node.small,
        text: `${name}, ${node.level}\n${label(figureName)} ${interval([estimate, low, high], figureName.includes("shift"))}\n${size(node)}` };
    })), (d) => d.estimate);
    const signed = figureName.includes("shift");
    const dy = (level) => (data.levels.indexOf(level) - 1) * 7;
    const stroke = (d) => levelColour(d.level);
    const most = wide() < 600 ? 20 : 36;
    levelLegend(holder);
    holder.append(Plot.plot(base(text, {
      width: Math.min(wide(), 900), height: order.length * 34 + 64, marginLeft: longest(order, most), marginRight: 20, marginTop: 8, marginBottom: 46,
      x: { grid: true, label: label(figureName), labelAnchor: "center", labelOffset: 40, labelArrow: "none", zero: signed, domain: signed ? undefined : [0, 1], tickFormat: signed ? signedTick : ".1f" },
      y: { domain: order, label: null, tickFormat: (name) => short(name, most), tickSize: 0 },
      marks: [
        ...(signed ? [Plot.ruleX([0], { stroke: "currentColor" })] : []),
        ...data.levels.flatMap((level) => {
          const own = points.filter((d) => d.level === level);
          return [
            Plot.ruleY(known(own, (d) => d.low), { y: "name", x1: "low", x2: "high", stroke, strokeWidth: 2, strokeOpacity: 0.55, dy: dy(level) }),
            Plot.dot(own, { y: "name", x: "estimate", ...dotStyle(stroke), r: 4, dy: dy(level) }),
            Plot.tip(own, Plot.pointer({ y: "name", x: "estimate", title: "text", dy: dy(level) })),
          ];
        }),
      ],
    })));
  }

  const runOptions = data.runs.map((run) => [run, short(run, 40)]);
  const figureOptions = figureNames.map((name) => [name, label(name)]);

  function modality() {
    let run = data.runs[0];
    let name = "calibration_shift";
    const order = [...new Set(nodes.filter((node) => node.axis === "modality").map((node) => node.node))].sort();
    const again = figure("modality", (holder) => {
      nodeDots(holder, run, name, order, (own, level, node) => find(own, level, "modality", node), `${label(name)} of ${run} by modality and level`);
      numbers(place("modality-numbers"), "modality", ["model", "modality", "level", label(name), "n", "source questions"],
        nodes.filter((node) => node.axis === "modality").map((node) => [node.run, node.node, node.level, triple(node, name), node.n, node.clusters]));
    });
    select(place("modality-controls"), "Model", runOptions, (value) => { run = value; again(); }, "modality-run");
    select(place("modality-controls"), "Figure", figureOptions, (value) => { name = value; again(); }, "modality-figure").value = name;
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

  function hierarchy() {
    let run = data.runs[0];
    let name = "calibration_shift";
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
        x: { label: "accuracy", grid: true, labelAnchor: "center", labelOffset: 40, labelArrow: "none", domain: [0, 1], tickFormat: ".1f" }, y: { label: "confidence", grid: true, domain: [0, 1], tickFormat: ".1f" },
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

  function curve(id, rows, x, xLabel, yLabel, xDomain, diagonal) {
    let run = data.runs[0];
    const again = figure(id, (holder) => {
      const own = known(rows.filter((row) => row.run === run), (d) => d.estimate);
      levelLegend(holder);
      const side = Math.min(wide(), 620);
      const stroke = (d) => levelColour(d.level);
      holder.append(Plot.plot(base(`${yLabel} against ${xLabel} of ${run}`, {
        width: side, height: side * 0.7, marginLeft: 46, marginRight: 20, marginBottom: 46, r: { range: [2.5, 9] },
        x: { domain: xDomain, label: xLabel, labelAnchor: "center", labelOffset: 40, labelArrow: "none", grid: true }, y: { domain: diagonal ? [0, 1] : undefined, zero: true, label: yLabel, grid: true },
        marks: [
          ...(diagonal ? [Plot.link([[0, 1]], { x1: (d) => d[0], y1: (d) => d[0], x2: (d) => d[1], y2: (d) => d[1], stroke: "currentColor", strokeDasharray: "4,3", strokeOpacity: 0.7 })] : []),
          ...(diagonal ? [Plot.ruleX(known(own, (d) => d.low), { x, y1: "low", y2: "high", stroke, strokeWidth: 1.5, strokeOpacity: 0.6 })]
            : [Plot.areaY(known(own, (d) => d.low), { x, y1: "low", y2: "high", z: "level", fill: stroke, fillOpacity: 0.15 })]),
          Plot.line(own, { x, y: "estimate", z: "level", stroke, strokeWidth: 2 }),
          ...(diagonal ? [Plot.dot(own, { x, y: "estimate", r: "n", ...dotStyle(stroke) })] : []),
          Plot.tip(own, Plot.pointer({ x, y: "estimate", title: (d) => `${run}, ${d.level}\n${xLabel} ${digits(d[x])}\n${yLabel} ${interval([d.estimate, d.low, d.high])}\n${size(d)}` })),
        ],
      })));
    });
    select(place(`${id}-controls`), "Model", runOptions, (value) => { run = value; again(); }, `${id}-run`);
    numbers(place(`${id}-numbers`), id, ["model", "level", xLabel, yLabel, "n", "source questions"],
      rows.map((d) => [d.run, d.level, d[x], [d.estimate, d.low, d.high], d.n, d.clusters]));
  }

  function ranks() {
    const accuracy = [
      ...data.runs.filter((run) => !Object.hasOwn(data.not_ranked, run)).map((run) => ({ model: run, own: true, at: Object.fromEntries(data.levels.map((level) => [level, find(run, level) ? triple(find(run, level), "accuracy")[0] : null])) })),
      ...(data.same_items ? data.published : []).map((model) => ({ model: `${model.model} †`, own: false, at: model.accuracy })),
    ];
    const absent = Object.entries(data.not_ranked).map(([run, why]) => `${run} is not ranked: ${why}.`);
    const rows = data.levels.flatMap((level) => {
      const present = known(accuracy, (d) => d.at[level]).sort((a, b) => b.at[level] - a.at[level]);
      return present.map((d, line) => ({ model: d.model, own: d.own, level, line, accuracy: d.at[level], rank: 1 + present.filter((other) => other.at[level] > d.at[level]).length }));
    });
    figure("ranks", (holder) => {
      for (const line of absent) holder.append(element("p", { class: "footnote" }, line));
      if (!rows.length) { holder.append(element("p", { class: "none" }, "No run has a rank.")); return; }
      const own = rows.filter((d) => d.own);
      const ends = (level) => rows.filter((d) => d.level === level);
      const count = d3.max(rows, (d) => d.line) + 1;
      const most = wide() < 600 ? 14 : 26;
      const colours = d3.scaleOrdinal(data.runs, ["#0072b2", "#c98a00", "#009e73", "#c4441c", "#8a4f9e", "#3aa0d8", "#7a6a00", "#c25b94", "#5b6b7b", "#4a7a3a"]);
      const name = (d) => `${d.rank}  ${short(d.model, most)}`;
      const side = longest(rows.map(name), most + 4) * 1.1; // ours are bold
      const text = { y: "line", x: "level", text: name, fill: "currentColor" };
      const ours = rows.length > own.length ? { fontWeight: 700 } : {};
      const names = (level, options) => [
        Plot.text(ends(level).filter((d) => !d.own), { ...text, ...options, fillOpacity: 0.65 }),
        Plot.text(ends(level).filter((d) => d.own), { ...text, ...options, ...ours }),
      ];
      holder.append(Plot.plot(base("Rank of each model by accuracy at each level", {
        width: Math.min(wide(), 820), height: count * (count > 15 ? 16 : 28) + 50, marginBottom: 14, marginLeft: side, marginRight: side,
        x: { type: "point", domain: data.levels, axis: "top", label: null, padding: 0, tickSize: 0 }, y: { reverse: true, axis: null },
        marks: [
          Plot.line(rows.filter((d) => !d.own), { x: "level", y: "line", z: "model", stroke: "currentColor", strokeOpacity: 0.18 }),
          Plot.line(own, { x: "level", y: "line", z: "model", stroke: (d) => colours(d.model), strokeWidth: 2.5 }),
          Plot.dot(own, { x: "level", y: "line", fill: (d) => colours(d.model), r: 4 }),
          ...names(data.levels[0], { textAnchor: "end", dx: -10 }),
          ...names(data.levels.at(-1), { textAnchor: "start", dx: 10 }),
          Plot.tip(rows, Plot.pointer({ x: "level", y: "line", title: (d) => `${d.model}, ${d.level}\nrank ${d.rank}\naccuracy ${digits(d.accuracy)}` })),
        ],
      })));
    });
    numbers(place("ranks-numbers"), "ranks", ["model", "level", "rank", "accuracy"], rows.map((d) => [d.model, d.level, d.rank, d.accuracy]));
  }

  severity();
  dumbbell();
  modality();
  degradation();
  hierarchy();
  scatter();
  curve("reliability", data.reliability, "score", "share of votes", "share right", [0, 1], true);
  curve("risk", data.risk_coverage, "coverage", "coverage", "error rate", [0, 1], false);
  ranks();
  const all = () => drawn.forEach((draw) => draw());
  all();
  document.querySelectorAll("section#headline .table, section#tables .table").forEach(enhance);
  theme(place("theme"));
  let width = wide();
  addEventListener("resize", () => { if (Math.abs(wide() - width) > 40) { width = wide(); all(); } });
  document.documentElement.dataset.ready = "yes";
})();
