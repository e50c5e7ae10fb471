// Defines the sections of the page, in order. An empty section explains which files are missing.

function studyView() {
  const { facts, tables, text } = data.study;
  const pairs = facts.map(([name, value]) => [el("dt", {}, words(name)), el("dd", {}, value)]);
  const parts = [];
  const tasks = tables.find(({ title }) => title === "tasks")?.table;
  if (tasks) parts.push(progressView(tasks));
  if (pairs.length) parts.push(el("dl", { class: "facts" }, pairs.flat()));
  for (const { title, table } of tables) parts.push(el("h3", {}, words(title)), tableView(table));
  if (text) parts.push(el("details", {}, el("summary", {}, "study.toml as it was run"), el("pre", {}, text)));
  return parts;
}

// The progress of a study, from the status of its tasks.
function progressView(tasks) {
  const at = tasks.columns.indexOf("status");
  if (at < 0) return null;
  const counts = new Map();
  tasks.rows.forEach((row) => counts.set(String(row[at]), (counts.get(String(row[at])) || 0) + 1));
  const n = tasks.rows.length + tasks.left_out;
  const done = ["done", "complete", "ok", "finished"].reduce((sum, name) => sum + (counts.get(name) || 0), 0);
  const text = [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
  return el("p", {}, el("progress", { max: n, value: done, "aria-label": "finished tasks" }), ` ${plural(n, "task", "tasks")}: ${text}`);
}

function predictionsView(section, number) {
  const { table, points, refusals } = section;
  const row = (at) => {
    const cells = table.columns.map((name, column) => [name, table.rows[at][column]]).filter(([, value]) => value !== null && value !== "");
    return cells.map(([name, value]) => `${words(name)}: ${shown(value)}`).join("\n");
  };
  const parts = [el("h3", {}, `${section.title}: ${section.target}`)];
  section.sentences.forEach((sentence) => parts.push(el("p", {}, sentence)));
  if (section.svg) {
    parts.push(figureView(section.svg, points, `Predicted against measured ${section.target}: ${table.rows.length} rows, listed in the table below`, row));
  } else if (section.is_omitted) {
    parts.push(el("p", { class: "note" }, `There are too many points for this page; surmise report draws them from ${section.file}.`));
  }
  if (refusals.length) {
    const n = refusals.reduce((sum, refusal) => sum + refusal.n, 0);
    parts.push(el("h3", {}, `Refused: ${plural(n, "row", "rows")}`));
    parts.push(el("ul", {}, refusals.map(({ reason, n, rows }) => el("li", {}, `${reason || "no reason was noted"}: `,
      el("strong", {}, plural(n, "row", "rows")), ` (${rows.join("; ")}${rows.length < n ? "; ..." : ""})`))));
  }
  parts.push(tableView(table, { key: "predictions-" + number }));
  return parts;
}

function calibrationsView() {
  const { table, cards, n, n_not_read: nNotRead } = data.calibrations;
  const parts = [tableView(table)];
  if (nNotRead) parts.push(el("p", { class: "note" }, `The folder has ${n} cards; the last ${nNotRead} are not shown.`));
  cards.forEach((card, at) => parts.push(el("details", { open: at === 0 },
    el("summary", {}, card.file), el("p", {}, card.caption),
    figureView(card.svg, [], "Back-tested errors, listed in the table below"),
    tableView(card.table, { key: "card-" + at }),
    el("details", {}, el("summary", {}, "Description of the card"), el("pre", {}, card.text)))));
  if (cards.length < table.rows.length) {
    parts.push(el("p", { class: "note" }, `The figures of ${plural(table.rows.length - cards.length, "card does", "cards do")} not fit into this page; surmise report calibration draws them.`));
  }
  return parts;
}

function spendView() {
  const { table, n, n_unknown: nUnknown, n_unpriced: nUnpriced, spent_usd: usd } = data.spend;
  const parts = [`${plural(n, "folder", "folders")} of answers.`];
  parts.push(usd === null ? "The cost is unknown, because no prices were given." : `Spent: ${usd} USD.`);
  if (usd !== null && nUnknown) parts.push(`The cost of ${plural(nUnknown, "folder", "folders")} is unknown and not included.`);
  if (nUnpriced) parts.push(`${plural(nUnpriced, "request", "requests")} had no known price.`);
  return [el("p", {}, parts.join(" ")), tableView(table)];
}

// Title, id, view function, whether there are data, and the hint if there are none.
function sections() {
  const { study, predictions, profiles, calibrations, answers, spend } = data;
  return [
    ["study", "What was asked", studyView, study.facts.length + study.tables.length > 0 || study.text, "The folder has no study.json. Run surmise run to write one."],
    ["predictions", "Predicted against measured", () => predictions.flatMap(predictionsView), predictions.length > 0, "There are no predictions. Run surmise predict -o predictions.csv or surmise blind to make them."],
    ["profiles", "Profiles", profilesView, profiles.list.length > 0, "There are no profiles. Run surmise measure -o profiles to make them."],
    ["answers", "Answers", answersView, answers.scores.rows.length + answers.semantic.rows.length + answers.items.rows.length > 0, "There are no answers. Run surmise collect -o answers/MODEL to collect them."],
    ["spend", "Spend", spendView, spend.n > 0, "No folder of answers has a summary.json."],
    ["calibrations", "Calibration and its back-tests", calibrationsView, calibrations.table.rows.length > 0, "There is no card. Run surmise calibrate -o card.json to fit one."],
    ["files", "Files", () => [tableView(data.files)], data.files.rows.length > 0, "No file could be read."],
  ];
}
