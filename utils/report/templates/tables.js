"use strict";
/* Theme, controls and tables of both pages. Text goes into the page as text only. */
const medq = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  function theme(button, redraw) {
    const names = ["auto", "light", "dark"];
    let chosen = 0;
    button.addEventListener("click", () => {
      chosen = (chosen + 1) % names.length;
      if (chosen) document.documentElement.dataset.theme = names[chosen];
      else delete document.documentElement.dataset.theme;
      button.textContent = `Colours: ${names[chosen]}`;
      if (redraw) redraw();
    });
  }

  function select(parent, label, options, onChange, id) {
    const box = element("select", { id });
    options.forEach(([value, text]) => box.append(element("option", { value }, text)));
    parent.append(element("label", {}, label, box));
    box.addEventListener("change", () => onChange(box.value));
    return box;
  }

  const quoted = (text) => {
    // A spreadsheet would run a cell that begins like a formula.
    const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
    const safe = !number && /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };

  function csv(table) {
    const heads = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.name);
    const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
    const ends = heads.map((_, place) => rows.some((row) => "low" in row.cells[place].dataset));
    const names = heads.flatMap((name, place) => (ends[place] ? [name, `${name} low`, `${name} high`] : [name]));
    const lines = rows.map((row) => [...row.cells].flatMap((cell, place) => {
      const own = [cell.dataset.value];
      return ends[place] ? [...own, cell.dataset.low ?? "", cell.dataset.high ?? ""] : own;
    }));
    return [names, ...lines].map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";
  }

  /* Give a table in `holder` its filter, its sortable heads and its download. */
  function enhance(holder) {
    const table = holder.querySelector("table");
    const body = table.tBodies[0];
    const shown = element("output", { "aria-live": "polite" });
    const filter = element("input", { type: "search", placeholder: "Filter rows", "aria-label": "Filter rows" });
    const download = element("button", { type: "button" }, "Download CSV");
    const say = () => {
      const rows = [...body.rows];
      shown.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
    };
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of body.rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
      say();
    });
    download.addEventListener("click", () => {
      const url = URL.createObjectURL(new Blob(["\ufeff", csv(table)], { type: "text/csv;charset=utf-8" }));
      element("a", { href: url, download: `${holder.dataset.csv || "table"}.csv` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
    const more = element("span", { class: "more", hidden: true }, "more columns: scroll sideways →");
    holder.prepend(element("div", { class: "tools" }, filter, download, shown, more));
    const scroll = table.parentElement;
    const look = () => { more.hidden = scroll.scrollWidth <= scroll.clientWidth + 1; };
    new ResizeObserver(look).observe(scroll);
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      const name = head.textContent;
      head.dataset.name ??= name; // without the unit: a download holds fractions
      const button = element("button", { type: "button" }, name);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const value = (row) => row.cells[place].dataset.value;
        const numeric = [...body.rows].every((row) => value(row) === "" || !Number.isNaN(Number(value(row))));
        const order = [...body.rows].sort((a, b) => {
          const [left, right] = [value(a), value(b)];
          if (left === "" || right === "") return (left === "") - (right === "");
          const by = numeric ? Number(left) - Number(right) : left.localeCompare(right);
          return up ? by : -by;
        });
        body.append(...order);
      });
    });
    say();
    return holder;
  }

  // Shares are read in per cent with one decimal, differences of shares in points.
  const digits = (value, signed) => {
    if (value === null || value === undefined) return "–";
    const text = (100 * value).toFixed(1);
    return Number(text) === 0 ? "0.0" : (signed && value > 0 ? "+" : "") + text.replace("-", "−");
  };
  const percent = (value, signed) => (value === null || value === undefined ? "–" : digits(value, signed) + (signed ? " points" : "%"));
  const interval = (of, signed) =>
    !of || of[0] === null ? "–" : percent(of[0], signed) + (of[1] === null ? "" : ` [${digits(of[1], signed)}, ${digits(of[2], signed)}]`);
  const COUNTS = new Set(["n", "source questions", "rank"]); // whole numbers; all other numbers are shares

  /* Put rows into `parent` as a table, when its details are open. A cell is text, a number, or [estimate, low, high]. */
  function numbers(parent, name, columns, rows) {
    const details = parent.closest("details");
    const show = () => { if (details.open) fill(parent, name, columns, rows); };
    details.ontoggle = show;
    show();
  }

  function fill(parent, name, columns, rows) {
    const body = element("tbody");
    // Not where intervals follow the numbers, which differ in width.
    const onTheRight = columns.map((_, at) => !rows.some((row) => Array.isArray(row[at])) && rows.some((row) => typeof row[at] === "number"));
    const shares = (at) => !COUNTS.has(columns[at]) && rows.some((row) => Array.isArray(row[at]) || typeof row[at] === "number");
    const side = (at) => (onTheRight[at] ? "number" : null);
    // One model is named by the figure; a download keeps it.
    const hidden = (at) => columns[at] === "model" && new Set(rows.map((row) => row[at])).size === 1;
    for (const row of rows) {
      const line = element("tr");
      row.forEach((cell, at) => {
        const triple = Array.isArray(cell);
        const value = triple ? cell[0] : cell;
        const counted = COUNTS.has(columns[at]);
        const numeric = typeof value === "number";
        const made = element("td", { class: side(at), hidden: hidden(at), "data-value": value ?? "" });
        if (triple && cell[1] !== null && cell[1] !== undefined) {
          made.dataset.low = cell[1];
          made.dataset.high = cell[2];
          made.append(digits(value), element("span", { class: "interval" }, ` [${digits(cell[1])}, ${digits(cell[2])}]`));
        } else made.append(numeric ? (counted ? value.toLocaleString("en") : digits(value)) : String(value ?? "–"));
        line.append(made);
      });
      body.append(line);
    }
    const head = element("thead", {}, element("tr", {}, ...columns.map((text, at) => element("th", { scope: "col", class: side(at), hidden: hidden(at), "data-name": text }, shares(at) ? `${text}, %` : text))));
    const scroll = element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Numbers: ${name}` }, element("table", {}, head, body));
    const holder = element("div", { class: "table", "data-csv": name }, scroll);
    parent.replaceChildren(holder);
    enhance(holder);
  }

  return { data, element, theme, select, enhance, numbers, digits, percent, interval };
})();
