// Shows tables that can be sorted by column, filtered, copied as CSV or LaTeX, and saved as CSV.

const FIRST_ROWS = 12;
const PRINTED_ROWS = 60;
const printed = [];

function csvText(table, rows) {
  const cell = (value) => {
    const text = value === null ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [table.columns, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

function latexText(table, rows) {
  const signs = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
  const escaped = (text) => text.replace(/[\\~^&%$#_{}]/g, (sign) => signs[sign] || "\\" + sign);
  const isNumber = table.columns.map((_, at) => rows.some((row) => typeof row[at] === "number"));
  // Small numbers, such as sizes and dollars, have three significant digits.
  const isSmall = (value) => value !== 0 && Math.abs(value) < 0.01;
  const number = (value) => (Number.isInteger(value) ? String(value)
    : isSmall(value) ? value.toPrecision(3) : fixed(value, 3));
  const column = (at) => {
    if (!isNumber[at]) return "l";
    const texts = rows.map((row) => row[at]).filter((value) => typeof value === "number").map(number);
    const sign = texts.some((text) => text.startsWith("-")) ? "-" : "";
    const parts = texts.map((text) => text.replace("-", "").split("."));
    const whole = Math.max(...parts.map((part) => part[0].length));
    const decimals = Math.max(...parts.map((part) => (part[1] || "").length));
    return `S[table-format=${sign}${whole}.${decimals}]`;
  };
  const cell = (value, at) => {
    if (value === null) return "{}";
    if (typeof value === "number") return number(value);
    return isNumber[at] ? `{${escaped(String(value))}}` : escaped(String(value));
  };
  const line = (cells) => cells.join(" & ") + " \\\\";
  return [
    "% \\usepackage{booktabs,siunitx}",
    `\\begin{tabular}{${table.columns.map((_, at) => column(at)).join(" ")}}`,
    "\\toprule",
    line(table.columns.map((name) => `{${escaped(words(name))}}`)),
    "\\midrule",
    ...rows.map((row) => line(row.map(cell))),
    "\\bottomrule",
    "\\end{tabular}",
  ].join("\n") + "\n";
}

async function copy(text, button) {
  const before = button.textContent;
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    // Without permission for the clipboard, copy from a selected text field.
    const area = el("textarea", { "aria-label": "text to copy" });
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.textContent = done ? "Copied" : "Not copied: save it instead";
  setTimeout(() => { button.textContent = before; }, 1500);
}

function save(text, name) {
  const link = el("a", { href: "data:text/csv;charset=utf-8," + encodeURIComponent(text), download: name });
  link.click();
}

// Keep names on one line; wrap sentences.
function width(value) {
  if (typeof value !== "string") return null;
  return value.length <= 30 ? "short" : value.length > 60 ? "long" : null;
}

function compare(a, b) {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
}

// The sort order of each table and whether it shows all rows, kept when the page is redrawn.
const views = new Map();

// The table with its controls. `extra` is a row of further controls; `keep` decides which rows are shown.
function tableView(table, options = {}) {
  const key = "t-" + (options.key || table.name);
  let rows = table.rows;
  let isPrinting = false;
  let { isWhole, sortColumn, isDown } = views.get(key) || { isWhole: false, sortColumn: -1, isDown: false };
  const body = el("tbody");
  const count = el("span", { class: "note", role: "status" });
  const more = el("button", { type: "button", onclick: () => { isWhole = !isWhole; draw(); } });
  const search = el("input", {
    type: "search", id: key, "aria-label": `Filter the rows of ${words(table.name)}`, placeholder: "Filter rows",
    oninput: () => { setState(key, search.value); isWhole = false; draw(); },
  });
  search.value = state.get(key) || "";
  const heads = table.columns.map((name, at) => {
    const button = el("button", { type: "button", onclick: () => {
      [sortColumn, isDown] = [at, sortColumn === at ? !isDown : false];
      draw();
    } }, words(name));
    return el("th", { scope: "col", "data-name": words(name), class: isNumeric(at) ? "number" : null }, button);
  });
  function isNumeric(at) {
    return table.rows.some((row) => typeof row[at] === "number");
  }
  const classes = table.columns.map((name, at) => (isNumeric(at) ? "number" : name.endsWith("sha256") ? "hash" : null));
  function chosen() {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = rows.map((row, at) => [row, at]);
    if (options.keep) found = found.filter(([row]) => options.keep(row));
    if (wanted.length) {
      found = found.filter(([row]) => {
        const text = row.map((value) => shown(value)).join("\t").toLowerCase();
        return wanted.every((word) => text.includes(word));
      });
    }
    if (sortColumn >= 0) {
      found.sort((a, b) => (isDown ? -1 : 1) * compare(a[0][sortColumn], b[0][sortColumn]) || a[1] - b[1]);
    }
    return found.map(([row]) => row);
  }
  function draw() {
    const found = chosen();
    const n = isPrinting ? PRINTED_ROWS : isWhole ? found.length : FIRST_ROWS;
    // Show only the start of a hash. The tooltip and the copies contain all of it.
    const cell = (value, at) => (classes[at] === "hash" && value
      ? el("td", { class: "hash", title: value }, String(value).slice(0, 12))
      : el("td", { class: classes[at] || width(value) }, shown(value, 5)));
    body.replaceChildren(...found.slice(0, n).map((row) => el("tr", {}, row.map(cell))));
    const left = table.left_out ? `; ${plural(table.left_out, "more row", "more rows")} only in ${table.left_out_file}` : "";
    count.textContent = `${Math.min(n, found.length)} of ${plural(rows.length, "row", "rows")}${left}`;
    views.set(key, { isWhole, sortColumn, isDown });
    more.hidden = found.length <= FIRST_ROWS;
    more.textContent = isWhole ? "Show the first rows only" : `Show all ${found.length}`;
    heads.forEach((head, at) => {
      if (at === sortColumn) head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }
  printed.push((isNow) => { isPrinting = isNow; draw(); });
  const tool = (text, action) => el("button", { type: "button", onclick: (event) => action(event.currentTarget) }, text);
  const tools = el("div", { class: "table-tools" },
    rows.length > 8 ? search : null,
    tool("Copy CSV", (button) => copy(csvText(table, chosen()), button)),
    tool("Copy LaTeX", (button) => copy(latexText(table, chosen()), button)),
    tool("Save CSV", () => save(csvText(table, chosen()), table.name + ".csv")),
    count, more);
  draw();
  const head = el("thead", {}, el("tr", {}, heads));
  const view = el("div", { class: "table-view", "data-table": table.name }, tools,
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": words(table.name) },
      el("table", { class: "data" }, head, body)));
  view.redraw = draw;
  return view;
}

addEventListener("beforeprint", () => printed.forEach((draw) => draw(true)));
addEventListener("afterprint", () => printed.forEach((draw) => draw(false)));
