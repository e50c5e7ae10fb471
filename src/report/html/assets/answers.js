// Shows graded answers, with search, filters and pages.

const PAGE_ROWS = 50;

function itemsView() {
  const { folders, tasks, rows } = data.answers.items;
  const all = (name) => [["", name]];
  // Menus store names, because indices change when a folder is added.
  const named = (list) => list.map((name) => [name, name]);
  const unique = (at) => [...new Set(rows.map((row) => row[at]))];
  let page = 0;
  const changed = () => { page = 0; draw(); };
  const search = el("input", {
    type: "search", id: "answer-search", placeholder: "Search items, answers and correct answers",
    oninput: () => { setState("search", search.value); changed(); },
  });
  search.value = state.get("search") || "";
  const folder = menu("folder", [...all("all folders"), ...named(folders.map((f) => f.folder || "(this folder)"))], changed);
  const task = menu("task", [...all("all tasks"), ...named(tasks)], changed);
  const shots = menu("shots", [...all("all"), ...unique(2).sort((a, b) => a - b).map((n) => [String(n), String(n)])], changed);
  const grade = menu("grade", [...all("all grades"), ...unique(3).sort().map((name) => [name, name])], changed);
  const body = el("tbody");
  const count = el("p", { class: "note", role: "status", id: "answer-count" });
  const back = el("button", { type: "button", onclick: () => { page -= 1; draw(); } }, "Previous page");
  const next = el("button", { type: "button", onclick: () => { page += 1; draw(); } }, "Next page");
  function draw() {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const is = (menu, value) => menu.value === "" || menu.value === String(value);
    const found = rows.filter((row) => {
      if (!is(folder, folders[row[0]].folder || "(this folder)") || !is(task, tasks[row[1]]) || !is(shots, row[2]) || !is(grade, row[3])) return false;
      const text = (row[5] + "\t" + row[6] + "\t" + row[7]).toLowerCase();
      return wanted.every((word) => text.includes(word));
    });
    const last = Math.max(0, Math.ceil(found.length / PAGE_ROWS) - 1);
    page = Math.min(Math.max(0, page), last);
    const here = found.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS);
    body.replaceChildren(...here.map((row) => el("tr", {},
      el("td", {}, folders[row[0]].folder || "(this folder)"), el("td", {}, tasks[row[1]]),
      el("td", { class: "number" }, String(row[2])),
      el("td", {}, el("span", { class: row[3] === "right" ? "right" : row[3] === "wrong" ? "wrong" : null }, row[3])),
      el("td", {}, row[5]), el("td", {}, row[6]), el("td", {}, row[7]), el("td", { class: "number" }, shown(row[4], 4)))));
    const total = folders.reduce((sum, f) => sum + f.n, 0);
    const part = rows.length < total ? ` of ${rows.length} shown here; ${total} in all` : ` of ${total}`;
    count.textContent = `${found.length}${part}. Page ${page + 1} of ${last + 1}.`;
    back.disabled = page === 0;
    next.disabled = page === last;
  }
  draw();
  const heads = ["folder", "task", "shots", "grade", "item", "answer as graded", "right answers", "log-probability"];
  const left = folders.filter((f) => f.n_shown < f.n);
  const note = left.length ? el("p", { class: "note" },
    `Not all answers fit into this page: ${plural(left.length, "folder shows", "folders show")} some, drawn at random. ` +
    `All are in items.csv of each folder, such as ${left[0].file} (${left[0].n_shown} of ${left[0].n} shown).`) : null;
  return [
    el("div", { class: "controls", role: "search" }, label("Search", search), label("Folder", folder), label("Task", task),
      label("Shots", shots), label("Grade", grade), back, next),
    count,
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "answers" },
      el("table", { class: "data", id: "answers-table" }, el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))), body)),
    note,
  ];
}

function answersView() {
  const { scores, semantic, items } = data.answers;
  const parts = [];
  if (semantic.rows.length) parts.push(el("h3", {}, "Estimates from answers"), tableView(semantic));
  if (scores.rows.length) parts.push(el("h3", {}, "Scores"), tableView(scores));
  if (items.rows.length) parts.push(el("h3", { id: "single-answers" }, "Single answers as graded"), ...itemsView());
  return parts;
}
