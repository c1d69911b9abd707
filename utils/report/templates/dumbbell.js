"use strict";
/* Accuracy, confidence and shift of all models, published ones among them. */
(() => {
  const { data, element, numbers, interval, label, triple, find, levelColour, size, place, short, known, longest, wide, dotStyle, signedTick, shareTick, base, levelLegend, figure, published, PUBLISHED } = report;

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
          x: { grid: true, label: null, ticks: plain - (named ? margin : 0) < 240 ? 2 : 4, inset: 6, zero: shift, domain: shift ? undefined : [0, 1], tickFormat: shift ? signedTick : shareTick },
          y: { domain: order, label: null, axis: named ? "left" : null, tickFormat: marked, tickSize: 0 },
          marks: [
            ...(shift ? [Plot.ruleX([0], { stroke: "currentColor" })] : []),
            Plot.ruleY(order, { stroke: "currentColor", strokeOpacity: 0.08 }),
            Plot.line(points, { x: "value", y: "model", z: "model", stroke: "currentColor", strokeOpacity: 0.35, strokeWidth: 2 }),
            Plot.ruleY(bounded, { y: "model", x1: "low", x2: "high", stroke: fill, strokeWidth: 5, strokeOpacity: (d) => (d.small ? 0.15 : 0.3) }),
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

  report.sections.dumbbell = dumbbell;
})();
