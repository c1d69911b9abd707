"use strict";
(async () => {
  const { data, element, theme, select, digits } = medq;
  const ROW = 56;
  const packed = Uint8Array.from(atob(data.packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const { levels, items, names, runs } = JSON.parse(await new Response(stream).text());
  const place = (id) => document.getElementById(id);
  const text = (column, item) => names[column][items[column][item]];
  const rowOf = runs.map((run) => {
    const found = new Int32Array(items.id.length).fill(-1);
    run.at.forEach((item, row) => { found[item] = row; });
    return found;
  });
  const state = { run: 0, level: "", modality: "", degradation: "", skill: "", kind: "", sure: 0.8, words: "" };
  const credit = (item) => (item < 0 || rowOf[state.run][item] < 0 ? null : runs[state.run].credit[rowOf[state.run][item]]);
  const confidence = (item) => (rowOf[state.run][item] < 0 ? null : runs[state.run].confidence[rowOf[state.run][item]]);
  const KINDS = {
    right: ["right", (item) => credit(item) === 1],
    wrong: ["wrong", (item) => credit(item) === 0],
    sure: ["confident and wrong", (item) => credit(item) === 0 && confidence(item) >= state.sure],
    flipped: ["flipped from right to wrong", (item) => items.level[item] > 0 && credit(item) === 0 && credit(items.clean[item]) === 1],
  };
  let shown = [];
  let chosen = -1;

  const haystack = items.id.map((id, item) => `${id} ${text("question", item)} ${text("options", item)[1].join(" ")}`.toLowerCase());

  function filter() {
    const wanted = ["modality", "degradation", "skill"].filter((name) => state[name] !== "").map((name) => [items[name], Number(state[name])]);
    const level = state.level === "" ? -1 : Number(state.level);
    const kind = KINDS[state.kind]?.[1];
    const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
    shown = [];
    for (let item = 0; item < items.id.length; item += 1) {
      if (rowOf[state.run][item] < 0 || (level >= 0 && items.level[item] !== level)) continue;
      if (!wanted.every(([column, value]) => column[item] === value)) continue;
      if ((!kind || kind(item)) && words.every((word) => haystack[item].includes(word))) shown.push(item);
    }
    place("count").textContent = `${shown.length.toLocaleString("en")} of ${items.id.length.toLocaleString("en")} items`;
    place("rows").style.height = `${shown.length * ROW}px`;
    place("list").scrollTop = 0;
    choose(shown.length ? 0 : -1);
  }

  function draw() {
    const list = place("list");
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 4);
    const last = Math.min(shown.length, first + Math.ceil(list.clientHeight / ROW) + 9);
    const rows = [];
    for (let at = first; at < last; at += 1) {
      const item = shown[at];
      const mark = { 1: "right", 0: "wrong" }[credit(item)] ?? "tied or unscored";
      const what = [levels[items.level[item]], mark, `confidence ${digits(confidence(item))}`, text("modality", item), text("degradation", item).replaceAll("_", " ")];
      const row = element("div", { class: "row", role: "option", id: `row-${at}`, "aria-selected": String(at === chosen), "aria-posinset": at + 1, "aria-setsize": shown.length },
        element("b", {}, text("question", item) || `Item ${items.id[item]}`), element("span", {}, what.filter(Boolean).join(" · ")));
      row.style.top = `${at * ROW}px`;
      row.addEventListener("click", () => choose(at));
      rows.push(row);
    }
    place("rows").replaceChildren(...rows);
    if (chosen >= 0) list.setAttribute("aria-activedescendant", `row-${chosen}`);
    else list.removeAttribute("aria-activedescendant");
  }

  function choose(at) {
    chosen = at;
    const list = place("list");
    if (at >= 0) {
      if (at * ROW < list.scrollTop) list.scrollTop = at * ROW;
      else if ((at + 1) * ROW > list.scrollTop + list.clientHeight) list.scrollTop = (at + 1) * ROW - list.clientHeight;
    }
    draw();
    detail(at < 0 ? -1 : shown[at]);
  }

  function picture(item, caption) {
    if (item < 0) return element("figure", {}, element("div", { class: "none" }, "No clean version among the runs' items"), element("figcaption", {}, caption));
    // Only files that the report itself wrote beside the page.
    const paths = items.image[item].filter((path) => /^images\/[0-9a-f]+\.webp$/.test(path));
    const pictures = paths.map((src) => element("img", { src, alt: `${caption}, ${text("modality", item)}`, loading: "lazy" }));
    if (!pictures.length) pictures.push(element("div", { class: "none" }, "No picture: give the data set with --data"));
    return element("figure", {}, ...pictures, element("figcaption", {}, caption));
  }

  function detail(item) {
    const holder = place("detail");
    holder.scrollTop = 0;
    if (item < 0) { holder.replaceChildren(element("p", {}, "No item fits these filters.")); return; }
    const clean = items.level[item] === 0 ? item : items.clean[item];
    const pictures = element("div", { class: "pictures" }, picture(clean, `${levels[0]}, clean`));
    if (items.level[item] > 0) pictures.append(picture(item, `${levels[items.level[item]]}, ${text("degradation", item).replaceAll("_", " ")}`));
    const answer = items.answer[item];
    const options = element("ul", { class: "options" }, ...text("options", item)[0].map((letter, at) => {
      const option = text("options", item)[1][at];
      return element("li", { class: letter === answer ? "answer" : null }, `${letter}${option === undefined ? "" : `. ${option}`}${letter === answer ? "  ✓ answer" : ""}`);
    }));
    const body = element("tbody");
    runs.forEach((run, at) => {
      const cells = (which) => {
        const row = which < 0 ? -1 : rowOf[at][which];
        return row < 0 ? ["–", "–"] : [names.votes[run.votes[row]], digits(run.confidence[row])];
      };
      const own = items.level[item] > 0 ? [...cells(clean), ...cells(item)] : cells(item);
      body.append(element("tr", {}, element("td", {}, run.name), ...own.map((value, column) => element("td", { class: column % 2 ? "number" : "votes" }, value))));
    });
    const heads = items.level[item] > 0 ? ["Model", "Votes, L0", "Confidence, L0", `Votes, ${levels[items.level[item]]}`, `Confidence, ${levels[items.level[item]]}`] : ["Model", "Votes", "Confidence"];
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))), body);
    holder.replaceChildren(
      element("p", { class: "question" }, text("question", item) || "(The question is not in the results; give the data set with --data.)"),
      pictures, options, element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Votes" }, table),
      element("p", { class: "footnote" }, `Item ${items.id[item]} · ${text("skill", item)}. ?: no letter could be read; –: the request failed or was not made.`));
  }

  const form = place("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  const set = (name) => (value) => { state[name] = value; filter(); };
  const all = (name) => [["", "all"], ...names[name].map((value, at) => [String(at), value.replaceAll("_", " ") || "none (clean)"]).sort((a, b) => a[1].localeCompare(b[1]))];
  select(form, "Model", runs.map((run, at) => [String(at), run.name]), (value) => set("run")(Number(value)), "filter-run");
  select(form, "Level", [["", "all"], ...levels.map((level, at) => [String(at), level])], set("level"), "filter-level");
  select(form, "Modality", all("modality"), set("modality"), "filter-modality");
  select(form, "Degradation", all("degradation"), set("degradation"), "filter-degradation");
  select(form, "Skill", all("skill"), set("skill"), "filter-skill");
  select(form, "Show", [["", "all"], ...Object.entries(KINDS).map(([name, [label]]) => [name, label])], set("kind"), "filter-kind");
  const words = element("input", { type: "search", placeholder: "Search text or id", "aria-label": "Search text or id", id: "filter-words" });
  let waiting = 0;
  words.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => set("words")(words.value), 120); });
  form.append(words, element("output", { id: "count", "aria-live": "polite" }), element("span", { class: "interval" }, `confident: ${state.sure} or more`));
  const list = place("list");
  list.addEventListener("scroll", draw, { passive: true });
  list.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -shown.length, End: shown.length }[event.key];
    if (step === undefined || !shown.length) return;
    event.preventDefault();
    choose(Math.min(shown.length - 1, Math.max(0, chosen + step)));
  });
  addEventListener("resize", draw);
  theme(place("theme"));
  filter();
  document.documentElement.dataset.ready = "yes";
})();
