"use strict";
/* One item in full: pictures by level with the votes of the chosen models, options, raw replies, all models. */
const itemDetail = ({ levels, items, names, runs, remarks, replies_left_out: leftOut }, rowOf, state) => {
  const BARE = -2; // stands for replies that were each just a letter
  const { element, digits } = medq;
  const text = (column, item) => names[column][items[column][item]];
  const spoken = (name) => name.replaceAll("_", " ");
  const KIND = { "?": "unread", "–": "missing", "⊘": "abstained" };
  const kind = (letter, item) => KIND[letter] ?? (letter === items.answer[item] ? "right" : "wrong");
  // Votes are one character each, or pairs of a letter and what goes with it.
  const pairs = (votes) => (typeof votes === "string" ? [...votes].map((letter) => [letter, ""]) : votes);

  const vote = (letter, more, item) => {
    const said = kind(letter, item);
    return element("span", { class: `vote ${said}`, title: said }, letter, element("span", { class: "visually-hidden" }, ` ${said}${more ? "" : ","} `), ...(more ? [element("small", {}, ` ${more}`)] : []));
  };
  const votesOf = (at, item) => {
    const row = item < 0 ? -1 : rowOf[at][item];
    return element("span", { class: "votes" }, ...(row < 0 ? ["not asked"] : pairs(names.votes[runs[at].votes[row]]).flatMap(([letter, more]) => [vote(letter, more, item), more ? " " : ""])));
  };
  const sure = (at, item) => (item < 0 || rowOf[at][item] < 0 ? "–" : `${digits(runs[at].confidence[rowOf[at][item]])}%`);

  /* The versions of an item: clean, then those with its degradation (a clean item: with the first there is), by level. */
  const groups = new Map();
  items.id.forEach((_, item) => {
    const key = items.source[item];
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  });
  function versions(item) {
    const all = groups.get(items.source[item]);
    const wanted = items.level[item] > 0 ? item : all.find((other) => items.level[other] > 0);
    const same = wanted === undefined ? [] : all.filter((other) => items.level[other] > 0 && items.degradation[other] === items.degradation[wanted]);
    const clean = items.level[item] === 0 ? item : items.clean[item];
    const found = [...(clean >= 0 ? [clean] : []), ...same.filter((other) => other !== clean)];
    return found.includes(item) ? found.sort((a, b) => items.level[a] - items.level[b]) : [item];
  }

  function repliesOf(at, item) {
    const row = rowOf[at][item];
    if (row < 0) return null;
    const run = runs[at];
    const votes = pairs(names.votes[run.votes[row]]);
    const replies = run.replies[row] < 0 ? null : names.replies[run.replies[row]].map((place) => names.reply[place]);
    const tiers = run.read_as[row] < 0 ? null : names.read_as[run.read_as[row]];
    const people = run.people[row] < 0 ? null : names.people[run.people[row]];
    if (!replies && !people) return null;
    const heads = ["trial", "vote", ...(replies ? ["read as", "reply"] : []), ...(people ? ["reader", "seconds", "not diagnostic"] : [])];
    const rows = votes.map(([letter, more], trial) => element("tr", {},
      element("td", { class: "number" }, String(trial + 1)), element("td", {}, vote(letter, more, item)),
      ...(replies ? [element("td", {}, tiers?.[trial] ? spoken(tiers[trial]) : "–"), element("td", { class: "reply" }, replies[trial] ?? "–")] : []),
      ...(people ? people.map((part) => element("td", {}, part === null || part[trial] === null ? "–" : part[trial] === true ? "yes" : part[trial] === false ? "no" : String(part[trial]))) : [])));
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))), element("tbody", {}, ...rows));
    const what = `${replies ? "raw replies" : "answers"} of ${run.name} at ${levels[items.level[item]]}`;
    const details = element("details", { class: "replies", open: state.open }, element("summary", {}, what), element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": what }, table));
    details.addEventListener("toggle", () => { state.open = details.open; });
    return details;
  }

  /* Below a picture: the votes of the chosen models, and of people wherever there are any. */
  const asked = () => [state.run, ...(state.beside === "" ? [] : [state.beside]), ...runs.keys()].filter((at, place, all) => all.indexOf(at) === place && (at === state.run || at === state.beside || runs[at].person));
  function below(item) {
    const lines = asked().map((at) => element("div", { class: "of-model" },
      ...(asked().length > 1 ? [element("span", { class: "who" }, runs[at].name)] : []), votesOf(at, item), element("span", { class: "interval" }, ` confidence ${sure(at, item)}`)));
    return element("div", {}, ...lines);
  }

  /* What the model settled for, beside an option: in words, since colour alone does not tell. */
  function choices(letter, item) {
    return [state.run, ...(state.beside === "" || state.beside === state.run ? [] : [state.beside])].flatMap((at) => {
      const row = rowOf[at][item];
      const chosen = row < 0 ? [] : names.chosen[runs[at].chosen[row]];
      if (!chosen.includes(letter)) return [];
      const right = letter === items.answer[item];
      const who = state.beside === "" ? "" : ` by ${runs[at].name}`;
      return [element("span", { class: `choice ${right ? "right" : "wrong"}` }, `${right ? "●" : "○"} ${chosen.length > 1 ? "tied for most chosen" : "most chosen"}${who}, ${right ? "right" : "wrong"}`)];
    });
  }

  /* Why there are no raw replies to open. */
  function without(shown) {
    const rows = shown.flatMap((each) => asked().map((at) => [at, rowOf[at][each]])).filter(([, row]) => row >= 0);
    if (rows.some(([at, row]) => runs[at].replies[row] !== BARE)) return leftOut ? "Raw replies: in the samples files; the page has no room for all of them." : "The results files hold no raw replies of this item.";
    const read = rows.every(([at, row]) => pairs(names.votes[runs[at].votes[row]]).every(([letter]) => !(letter in KIND)));
    return `No raw replies are kept: each was ${read ? "just the letter" : "one character or none"}.`;
  }

  function show(item, choose, nothing) {
    const holder = document.getElementById("detail");
    if (item < 0) { itemPictures.draw([], () => null); holder.replaceChildren(element("p", {}, nothing)); return; }
    const all = versions(item);
    const pictures = all.map((each) => ({ item: each, level: levels[items.level[each]], what: items.level[each] === 0 ? "clean" : spoken(text("degradation", each)) || text("modality", each),
      paths: items.image[each], current: each === item }));
    if (items.level[item] > 0 && items.clean[item] < 0) pictures.unshift({ item: -1, level: levels[0], what: "clean", paths: [], current: false, absent: true });
    const answer = items.answer[item];
    const options = element("ul", { class: "options" }, ...text("options", item)[0].map((letter, at) => {
      const option = text("options", item)[1][at];
      return element("li", { class: letter === answer ? "answer" : null }, `${letter}${option === undefined ? "" : `. ${option}`}${letter === answer ? "  ✓ answer" : ""}`, ...choices(letter, item));
    }));
    const steps = element("div", { class: "modes", role: "group", "aria-label": "Level" }, ...all.map((each, place) => {
      const button = element("button", { type: "button", "aria-pressed": String(each === item), title: `key ${place + 1}` }, levels[items.level[each]]);
      button.addEventListener("click", () => choose(each));
      return button;
    }));
    const body = element("tbody", {}, ...runs.map((run, at) => element("tr", {}, element("th", { scope: "row" }, run.name), ...all.flatMap((each) => [element("td", {}, votesOf(at, each)), element("td", { class: "number" }, sure(at, each))]))));
    const heads = ["model", ...all.flatMap((each) => [`votes, ${levels[items.level[each]]}`, "confidence"])];
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))), body);
    const everyone = runs.length > asked().length ? [element("h2", {}, "All models"), element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Votes of all models" }, table)] : [];
    const replies = all.flatMap((each) => asked().map((at) => repliesOf(at, each))).filter(Boolean);
    const remark = remarks[text("data", item)];
    const link = element("a", { href: hash(item), id: "link" }, "link to this item");
    holder.replaceChildren(
      element("p", { class: "question" }, text("question", item) || "(The question is not in the results; give the data set with --data.)"),
      options, element("div", { class: "bar" }, steps, itemPictures.controls(), ...(remark ? [element("span", { class: "drawings" }, remark)] : [])), itemPictures.draw(pictures, (each) => below(each.item)),
      element("p", { class: "footnote" }, "Votes: ", vote(answer, "", item), " right, ", element("span", { class: "vote wrong" }, "X"), " wrong, ", element("span", { class: "vote unread" }, "?"), " no letter could be read, ", element("span", { class: "vote missing" }, "–"), " the request failed or was not made, ", element("span", { class: "vote abstained" }, "⊘"), " no answer, and said so."),
      ...(replies.length ? [element("h2", {}, "Replies"), ...replies] : [element("p", { class: "footnote" }, without(all))]), ...everyone,
      element("p", { class: "footnote" }, [`Item ${items.id[item]}`, text("data", item), text("modality", item), text("skill", item), ""].filter((part, at, parts) => part || at === parts.length - 1).join(" · "), link));
    itemPictures.fit();
  }

  const hash = (item) => `#${encodeURIComponent(levels[items.level[item]])}/${encodeURIComponent(items.id[item])}`;
  return { show, versions, hash };
};
