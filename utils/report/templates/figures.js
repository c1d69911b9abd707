"use strict";
/* What the figures of the report share: data by name, sizes, colours, legends. Each section's own file draws it. */
const report = (() => {
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

  const published = data.published.filter((model) => Object.keys(model.calibration).length);
  const PUBLISHED = ["accuracy", "confidence", "calibration_shift"];

  const runOptions = data.runs.map((run) => [run, short(run, 40)]);
  const figureOptions = figureNames.map((name) => [name, label(name)]);

  // Each draws its section by name, once its element is there; `start.js` calls them.
  const sections = {};
  return { data, element, theme, select, enhance, numbers, digits, interval, figureNames, label, nodes, triple, find, levelColour, size, place, short, known, longest, wide, dotStyle, signedTick, base, legend, levelLegend, drawn, figure, published, PUBLISHED, runOptions, figureOptions, sections };
})();
