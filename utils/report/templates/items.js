"use strict";
(async () => {
  const { data, element, theme, select, digits } = medq;
  const ROW = 56; // as in the style
  const SURE = 0.8;
  const packed = Uint8Array.from(atob(data.packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const all = JSON.parse(await new Response(stream).text());
  const { levels, items, names, runs } = all;
  const place = (id) => document.getElementById(id);
  const text = (column, item) => names[column][items[column][item]];
  const rowOf = runs.map((run) => {
    const found = new Int32Array(items.id.length).fill(-1);
    run.at.forEach((item, row) => { found[item] = row; });
    return found;
  });
  const state = { run: 0, beside: "", level: "", modality: "", degradation: "", skill: "", kind: "", words: "", open: false };
  const view = itemDetail(all, rowOf, state);
  const creditOf = (at, item) => (item < 0 || rowOf[at][item] < 0 ? null : runs[at].credit[rowOf[at][item]]);
  const credit = (item) => creditOf(state.run, item);
  const other = (item) => (state.beside === "" ? null : creditOf(state.beside, item));
  const confidence = (item) => (rowOf[state.run][item] < 0 ? null : runs[state.run].confidence[rowOf[state.run][item]]);
  const KINDS = {
    right: ["right", (item) => credit(item) === 1],
    wrong: ["wrong", (item) => credit(item) === 0],
    tied: ["tied", (item) => credit(item) > 0 && credit(item) < 1],
    sure: [`confident (${100 * SURE}% or more) and wrong`, (item) => credit(item) === 0 && confidence(item) >= SURE],
    flipped: ["flipped from right to wrong", (item) => items.level[item] > 0 && credit(item) === 0 && credit(items.clean[item]) === 1],
    ahead: ["right, the one beside wrong", (item) => credit(item) === 1 && other(item) === 0],
    behind: ["wrong, the one beside right", (item) => credit(item) === 0 && other(item) === 1],
  };
  const markOf = (value) => (value === null ? ["not scored", "–", ""] : value === 1 ? ["right", "✓", "good"] : value === 0 ? ["wrong", "✗", "bad"] : ["tied", "=", ""]);
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
  }
  const nothing = () => `No item fits these filters.${state.kind === "flipped" && state.level === "0" ? ` A flip is shown at the degraded level where it happens: choose another level than ${levels[0]}.` : ""}`;
  const refilter = () => { filter(); choose(shown.length ? 0 : -1); };

  const mark = (value) => {
    const [name, sign, kind] = markOf(value);
    return element("span", { class: `mark ${kind}`, title: name }, sign, element("span", { class: "visually-hidden" }, ` ${name} `));
  };

  function draw() {
    const list = place("list");
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 4);
    const last = Math.min(shown.length, first + Math.ceil(list.clientHeight / ROW) + 9);
    const rows = [];
    for (let at = first; at < last; at += 1) {
      const item = shown[at];
      const what = [levels[items.level[item]], text("degradation", item).replaceAll("_", " ") || "clean", text("modality", item)];
      const row = element("div", { class: "row", role: "option", id: `row-${at}`, "aria-selected": String(at === chosen), "aria-posinset": at + 1, "aria-setsize": shown.length },
        element("b", {}, mark(credit(item)), ...(state.beside === "" ? [] : [mark(other(item))]), element("span", { class: "what" }, what.filter(Boolean).join(" · ")), element("span", { class: "sure" }, confidence(item) === null ? "no confidence" : `confidence ${digits(confidence(item))}%`)),
        element("span", {}, text("question", item) || `Item ${items.id[item]}`));
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
      history.replaceState(null, "", view.hash(shown[at]));
    }
    draw();
    place("detail").scrollTop = 0;
    view.show(at < 0 ? -1 : shown[at], go, nothing());
  }

  /* Show an item wherever it is: filters that hide it are taken off, and a model that was not asked changed. */
  function go(item) {
    if (rowOf[state.run][item] < 0) state.run = rowOf.findIndex((row) => row[item] >= 0);
    let at = shown.indexOf(item);
    if (at < 0) {
      for (const name of ["level", "modality", "degradation", "skill", "kind", "words"]) state[name] = "";
      for (const box of form.querySelectorAll("select, input")) box.value = { "filter-run": state.run, "filter-beside": state.beside }[box.id] ?? "";
      filter();
      at = shown.indexOf(item);
    }
    choose(at);
  }
  function fromAddress() {
    const [level, id] = location.hash.slice(1).split("/").map((part) => { try { return decodeURIComponent(part); } catch { return ""; } });
    const item = id === undefined ? -1 : items.id.findIndex((each, at) => each === id && levels[items.level[at]] === level);
    if (item >= 0) go(item);
    return item >= 0;
  }
  itemPictures.state.redraw = (id) => { view.show(shown[chosen] ?? -1, go, nothing()); if (id) place(id)?.focus(); };

  const form = place("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  const set = (name) => (value) => { state[name] = value; refilter(); };
  const every = (name) => [["", "all"], ...names[name].map((value, at) => [String(at), value.replaceAll("_", " ") || "none (clean)"]).sort((a, b) => a[1].localeCompare(b[1]))];
  const models = runs.map((run, at) => [String(at), run.name]);
  select(form, "Model", models, (value) => set("run")(Number(value)), "filter-run");
  if (runs.length > 1) select(form, "beside", [["", "none"], ...models], (value) => { state.beside = value === "" ? "" : Number(value); const item = shown[chosen]; filter(); if (item !== undefined) go(item); else choose(shown.length ? 0 : -1); }, "filter-beside");
  select(form, "Level", [["", "all"], ...levels.map((level, at) => [String(at), level])], set("level"), "filter-level");
  select(form, "Modality", every("modality"), set("modality"), "filter-modality");
  select(form, "Degradation", every("degradation"), set("degradation"), "filter-degradation");
  select(form, "Skill", every("skill"), set("skill"), "filter-skill");
  select(form, "Show", [["", "all"], ...Object.entries(KINDS).slice(0, runs.length > 1 ? 7 : 5).map(([name, [label]]) => [name, label])], set("kind"), "filter-kind");
  const words = element("input", { type: "search", placeholder: "text or id", id: "filter-words", title: "key /" });
  let waiting = 0;
  words.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => set("words")(words.value), 120); });
  form.append(element("label", {}, "Search", words), element("output", { id: "count", "aria-live": "polite" }), element("span", { class: "interval" }, "✓ right, ✗ wrong, = tied: the answer shares the most votes"));
  const list = place("list");
  list.addEventListener("scroll", draw, { passive: true });

  const to = (at) => { if (shown.length) choose(Math.min(shown.length - 1, Math.max(0, at))); };
  const level = (step) => {
    const found = view.versions(shown[chosen]);
    const next = found[found.indexOf(shown[chosen]) + step];
    if (next !== undefined) go(next);
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input[type=search]");
    if (typing && event.key === "Escape") { words.blur(); list.focus(); }
    if (typing || event.target.matches("select, input")) return;
    const page = Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
    const scrolls = event.target.closest(".scroll, #detail") !== null; // there the arrows scroll
    const keys = {
      j: () => to(chosen + 1), k: () => to(chosen - 1), "/": () => words.focus(), b: () => place("mode-blink")?.click(), s: () => place("mode-slider")?.click(),
      d: () => place("mode-side")?.click(), z: () => place("zoom")?.click(),
      ...(scrolls ? {} : { ArrowDown: () => to(chosen + 1), ArrowUp: () => to(chosen - 1), PageDown: () => to(chosen + page), PageUp: () => to(chosen - page), Home: () => to(0), End: () => to(shown.length - 1) }),
      ...(chosen < 0 ? {} : { ArrowRight: () => level(1), ArrowLeft: () => level(-1) }),
    };
    let act = keys[event.key];
    if (/^[1-9]$/.test(event.key) && chosen >= 0) {
      const wanted = view.versions(shown[chosen])[Number(event.key) - 1];
      if (wanted !== undefined) act = () => go(wanted);
    }
    if (!act) return;
    event.preventDefault();
    act();
  });
  addEventListener("resize", () => { draw(); itemPictures.fit(); });
  addEventListener("hashchange", fromAddress);
  theme(place("theme"));
  filter();
  if (!fromAddress()) choose(shown.length ? 0 : -1);
  document.documentElement.dataset.ready = "yes";
})();
