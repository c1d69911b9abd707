"use strict";
/* What the figures of the report share: data by name, sizes, colours, legends. Each section's own file draws it. */
const report = (() => {
  const { data, element, theme, select, enhance, numbers, digits, percent, interval } = medq;
  const figureNames = Object.keys(data.figures);
  const FIRST = 10;
  const column = Object.fromEntries(figureNames.map((name, place) => [name, FIRST + place]));
  const label = (name) => name.replaceAll("_", " ");
  const nodes = data.nodes.map((row) => ({
    run: data.runs[row[0]], level: row[1], axis: row[2], node: row[3], n: row[4], clusters: row[5], small: Boolean(row[6]),
    guesserAccuracy: row[7], guesserConfidence: row[8], guesserShift: row[9], row,
  }));
  // Estimate, low, high and, where there is an estimate without an interval, often the reason.
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
  // How many ticks an axis of so many pixels has.
  const ticks = (inner) => Math.max(5, Math.round(inner / 80));
  // Dots are open where there are fewer than 30 source questions.
  const dotStyle = (colour) => ({ fill: (d) => (d.small ? "var(--paper)" : colour(d)), stroke: colour, strokeWidth: 1.5, strokeOpacity: (d) => (d.small ? 0.6 : 1) });
  const dotSize = (d) => (d.small ? 2.6 : 4.2);
  const shareTick = (value) => `${d3.format(".3~r")(100 * value)}%`;
  const signedTick = (value) => (Math.abs(value) < 1e-9 ? "0" : d3.format("+.3~r")(100 * value).replace("-", "−"));
  const base = (text, options) => ({ ariaLabel: text, style: { background: "transparent", fontSize: "12px" }, ...options });

  function legend(parent, entries) {
    parent.append(element("ul", { class: "legend" }, ...entries.map(([text, fill]) => {
      const dot = element("i");
      dot.style.background = fill;
      return element("li", {}, dot, text);
    })));
  }
  const levelLegend = (parent) => legend(parent, data.levels.map((level) => [level === "L0" ? "L0, clean" : level, levelColour(level)]));

  const isSigned = (name) => /shift|gap|james/.test(name);

  /* Why a value has no interval, in words; empty where it has one. */
  function without(d) {
    if (d.low !== null && d.low !== undefined) return "";
    if (d.clusters < 2) return "no interval: one source question";
    if ((d.reason ?? "").startsWith("too few questions differ")) return "no interval: too few source questions differ";
    return `no interval: ${d.reason ?? "too few source questions"}`;
  }

  const LABEL = 58; // pixels that the value of a point beyond the axis takes
  /* The axis of some points: it holds those that rest on enough source questions, with their intervals. What leaves it
     is cut there and marked, so that one wide interval does not flatten the others. `inner` is how many pixels the axis
     has: where a value is cut, its label has room beside the line at 0. */
  function frameOf(points, inner) {
    const enough = (d) => d.clusters >= 10;
    const basis = [(d) => !d.small, (d) => enough(d) && !without(d), enough, () => true].map((test) => points.filter(test)).find((each) => each.length) ?? [];
    let [low, high] = d3.extent([0, ...basis.flatMap((d) => [d.low ?? d.estimate, d.high ?? d.estimate, d.estimate])]);
    const room = Math.max(0.01, 0.04 * (high - low));
    [low, high] = [low < 0 ? low - room : low, high + room];
    const share = Math.min(0.4, LABEL / inner);
    if (points.some((d) => d.estimate > high)) high = Math.max(high, (-low * share) / (1 - share));
    if (points.some((d) => d.estimate < low)) low = Math.min(low, (-high * share) / (1 - share));
    return [low, high];
  }
  /* Whether a point's interval says something: there is one, and it ends within the axis. */
  const told = (d, [low, high]) => !without(d) && !(d.low <= low + 0.02 * (high - low) && d.high >= high - 0.02 * (high - low));
  const whyNot = (d, frame) => without(d) || (told(d, frame) ? "" : "interval wider than the axis");

  /* Marks of intervals along x within a frame, with ◂ ▸ where they go on. A value beyond it is written at its end, if
     `labelled` says that there is room. `options` are those of every mark. */
  function intervals(points, frame, options, labelled = () => true) {
    const [low, high] = frame;
    const own = points.filter((d) => told(d, frame) && d.low <= high && d.high >= low).map((d) => ({ ...d, from: Math.max(d.low, low), to: Math.min(d.high, high) }));
    const arrow = { fill: options.stroke, fontSize: 11, ...options, stroke: "var(--paper)", strokeWidth: 3 };
    const value = (d) => (labelled(d) ? digits(d.estimate, true) : "");
    return [
      Plot.ruleY(own, { x1: "from", x2: "to", strokeWidth: 2, ...options, strokeOpacity: (d) => (d.small ? 0.45 : 0.7) }),
      Plot.text(own.filter((d) => d.low < low && d.estimate >= low), { x: () => low, text: () => "◂", ...arrow }),
      Plot.text(own.filter((d) => d.high > high && d.estimate <= high), { x: () => high, text: () => "▸", ...arrow }),
      Plot.text(points.filter((d) => d.estimate < low), { x: () => low, text: (d) => `◂ ${value(d)}`.trim(), textAnchor: "start", ...arrow }),
      Plot.text(points.filter((d) => d.estimate > high), { x: () => high, text: (d) => `${value(d)} ▸`.trim(), textAnchor: "end", ...arrow }),
    ];
  }
  const within = (points, [low, high]) => points.filter((d) => d.estimate >= low && d.estimate <= high);
  /* What stands below a figure that has no room for its reasons: what its ° means. */
  const reasons = (holder, texts) => {
    const known = [...new Set(texts)].filter(Boolean);
    if (known.length) holder.append(element("p", { class: "footnote" }, `° ${known.join("; ")}.`));
  };
  /* A name in lines of at most `most` characters, broken where names have joints. */
  function lines(text, most) {
    const found = [""];
    for (const part of text.split(/(?<=[-_ /.])/)) {
      if ((found.at(-1) + part).length > most && found.at(-1)) found.push("");
      found[found.length - 1] += part;
    }
    return found.map((line) => short(line.trim(), most)).slice(0, 4).join("\n");
  }

  const drawn = [];
  function figure(id, draw) {
    const again = () => {
      const holder = place(`${id}-plot`);
      holder.replaceChildren();
      draw(holder);
      // Plot names its groups; only a group may have a name.
      for (const group of holder.querySelectorAll("svg g[aria-label]:not([role])")) group.setAttribute("role", "group");
    };
    drawn.push(again);
    return again;
  }

  const published = data.published.filter((model) => Object.keys(model.calibration).length);
  const PUBLISHED = ["accuracy", "confidence", "calibration_shift"];

  const runOptions = data.runs.map((run) => [run, short(run, 40)]);
  const figureOptions = figureNames.map((name) => [name, label(name)]);

  // Each draws its section by name, once its element is there; `start.js` calls them.
  const sections = {};
  return { data, element, theme, select, enhance, numbers, digits, percent, interval, shareTick, isSigned, without, told, whyNot, reasons, frameOf, within, intervals, lines, figureNames, label, nodes, triple, find, levelColour, size, place, short, known, longest, wide, dotStyle, dotSize, ticks, signedTick, base, legend, levelLegend, drawn, figure, published, PUBLISHED, runOptions, figureOptions, sections };
})();
