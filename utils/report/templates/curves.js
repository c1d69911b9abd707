"use strict";
/* Reliability, and risk against coverage. */
(() => {
  const { data, select, numbers, percent, shareTick, interval, label, levelColour, size, place, known, wide, dotStyle, base, levelLegend, figure, runOptions } = report;

  function curve(id, rows, x, xLabel, yLabel, xDomain, diagonal) {
    let run = data.runs[0];
    const again = figure(id, (holder) => {
      const own = known(rows.filter((row) => row.run === run), (d) => d.estimate);
      levelLegend(holder);
      const side = Math.min(wide(), 620);
      const stroke = (d) => levelColour(d.level);
      // Levels stand side by side, and only bins of enough source questions are joined: others are no trend.
      const aside = (level) => (diagonal ? (data.levels.indexOf(level) - 1) * 5 : 0);
      const marks = data.levels.flatMap((level) => {
        const mine = own.filter((d) => d.level === level);
        const dx = aside(level);
        return [
          diagonal ? Plot.ruleX(known(mine, (d) => d.low), { x, y1: "low", y2: "high", stroke, dx, strokeWidth: 1.5, strokeOpacity: (d) => (d.small ? 0.45 : 0.8) })
            : Plot.areaY(known(mine, (d) => d.low), { x, y1: "low", y2: "high", fill: stroke, fillOpacity: 0.15 }),
          Plot.line(mine, { x, y: (d) => (diagonal && d.small ? NaN : d.estimate), stroke, dx, strokeWidth: 2 }),
          ...(diagonal ? [Plot.dot(mine, { x, y: "estimate", r: "n", dx, ...dotStyle(stroke) })] : []),
        ];
      });
      holder.append(Plot.plot(base(`${yLabel} against ${xLabel} of ${run}`, {
        width: side, height: side * 0.7, marginLeft: 52, marginRight: 20, marginTop: 36, marginBottom: 46, r: { range: [2.5, 9] },
        x: { domain: xDomain, label: xLabel, labelAnchor: "center", labelOffset: 40, labelArrow: "none", grid: true, tickFormat: shareTick }, y: { domain: diagonal ? [0, 1] : undefined, zero: true, label: yLabel, grid: true, tickFormat: shareTick },
        marks: [
          ...(diagonal ? [Plot.link([[0, 1]], { x1: (d) => d[0], y1: (d) => d[0], x2: (d) => d[1], y2: (d) => d[1], stroke: "currentColor", strokeDasharray: "4,3", strokeOpacity: 0.7 })] : []),
          ...marks,
          Plot.tip(own, Plot.pointer({ x, y: "estimate", title: (d) => `${run}, ${d.level}\n${xLabel} ${percent(d[x])}\n${yLabel} ${interval([d.estimate, d.low, d.high])}\n${size(d)}` })),
        ],
      })));
    });
    select(place(`${id}-controls`), "Model", runOptions, (value) => { run = value; again(); }, `${id}-run`);
    numbers(place(`${id}-numbers`), id, ["model", "level", xLabel, yLabel, "n", "source questions"],
      rows.map((d) => [d.run, d.level, d[x], [d.estimate, d.low, d.high], d.n, d.clusters]));
  }

  report.sections.reliability = () => curve("reliability", data.reliability, "score", "share of votes", "share right", [0, 1], true);
  report.sections.risk = () => curve("risk", data.risk_coverage, "coverage", "coverage", "error rate", [0, 1], false);
})();
