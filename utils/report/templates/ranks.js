"use strict";
/* Ranks by accuracy at each level. */
(() => {
  const { data, element, numbers, percent, label, triple, find, place, short, known, longest, wide, base, figure, published } = report;

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
          Plot.tip(rows, Plot.pointer({ x: "level", y: "line", title: (d) => `${d.model}, ${d.level}\nrank ${d.rank}\naccuracy ${percent(d.accuracy)}` })),
        ],
      })));
    });
    numbers(place("ranks-numbers"), "ranks", ["model", "level", "rank", "accuracy"], rows.map((d) => [d.model, d.level, d.rank, d.accuracy]));
  }

  report.sections.ranks = ranks;
})();
