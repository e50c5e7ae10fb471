// Shows the profile of one model on one corpus as a heat map: blocks upwards, examples or positions to the
// right.

// The quantities of each kind of profile: key, name with unit, whether the scale is symmetric around 0, and
// the function that computes a derived quantity.
const QUANTITIES = {
  semantic: [
    ["share", "share of semantic information", false],
    ["learned", "share - random init", true, (v, at) => less(v.share[at], v.random_init?.[at])],
    ["random_init", "share of random init", false],
    ["output_share", "output share (logit lens)", false],
    ["no_shared_answer", "share over sets that share no answer", false],
    ["half_sets", "share with half of the example sets", false],
    ["micro_nats", "micro information, nats", false],
    ["emergence_nats", "emergence (macro - micro), nats", true],
  ],
  positional: [
    ["emergence_nats", "emergence, nats", false],
    ["learned", "emergence - random init, nats", true, (v, at) => less(v.emergence_nats[at], v.random_init?.[at])],
    ["less_control", "emergence - shuffled control, nats", true, (v, at) => less(v.emergence_nats[at], v.control?.[at])],
    ["random_init", "emergence of random init, nats", false],
    ["macro_nats", "macro information, nats", false],
    ["micro_nats", "micro information, nats", false],
    ["ceiling_nats", "ceiling of macro information, nats", false],
    ["variance_nats2", "variance over windows, nats\u00b2", false],
  ],
};

// Maximum number of small maps.
const MOST_MINI = 100;

function less(a, b) {
  return a === null || a === undefined || b === null || b === undefined ? null : a - b;
}

function valueOf(quantity, values, at) {
  const [key, , , made] = quantity;
  return made ? made(values, at) : values[key]?.[at] ?? null;
}

function colourOf(value, [low, high], isSigned) {
  const colours = isSigned ? data.diverging : data.viridis;
  const share = high > low ? (value - low) / (high - low) : 0.5;
  return colours[Math.round(Math.min(1, Math.max(0, share)) * (colours.length - 1))];
}

function isLight(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140;
}

// Describes the values of a cell, with the numbers of the files.
function cellText(profile, scale, block, column) {
  const values = scale.values;
  const at = (block - 1) * profile.columns.length + column;
  const isSemantic = profile.kind === "semantic";
  const main = isSemantic ? values.share[at] : values.emergence_nats[at];
  const stderr = (isSemantic ? values.share_stderr : values.stderr_nats)?.[at];
  const lines = [`${isSemantic ? "share" : "emergence"} ${shown(main)}${isSemantic ? "" : " nats"}`];
  if (values.low?.[at] !== undefined && values.low[at] !== null) {
    lines.push(`bounds ${shown(values.low[at])} to ${shown(values.high[at])} nats`);
  }
  if (stderr !== undefined && stderr !== null) {
    lines.push(`95 %: ${shown(main - 1.96 * stderr, 4)} to ${shown(main + 1.96 * stderr, 4)} (standard error ${shown(stderr)})`);
  }
  for (const quantity of QUANTITIES[profile.kind].slice(1)) {
    const value = valueOf(quantity, values, at);
    if (value !== null) lines.push(`${quantity[1]} ${shown(value)}`);
  }
  const bits = values.flags?.[at] || 0;
  const flags = profile.flag_names.filter((_, bit) => bits & (1 << bit));
  if (block === 1 && profile.blocks > 1) lines.push("block 1: its input depends on one token; not on the scale");
  lines.push(`flags: ${flags.length ? flags.join(", ") : values.flags ? "none" : "not computed at this b"}`);
  const place = isSemantic ? plural(profile.columns[column], "example", "examples") : `position ${profile.columns[column]}`;
  return [`${profile.model}, ${profile.corpus}, block ${block}, ${place}, b = ${shown(scale.b) || "none"}`, ...lines].join("\n");
}

// The common scale of all profiles of a kind at one noise scale, without block 1.
function sharedScale(kind, b, quantity) {
  let [low, high] = [Infinity, -Infinity];
  for (const profile of data.profiles.list.filter((profile) => profile.kind === kind)) {
    const scale = profile.scales.find((scale) => String(scale.b) === String(b));
    if (!scale) continue;
    const first = profile.blocks > 1 ? profile.columns.length : 0;
    for (let at = first; at < profile.blocks * profile.columns.length; at++) {
      const value = valueOf(quantity, scale.values, at);
      if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
  }
  if (quantity[2]) {
    const end = Math.max(Math.abs(low), Math.abs(high));
    return [-end, end];
  }
  return [low, high];
}

function heatMap(profile, scale, quantity, readout) {
  const ends = sharedScale(profile.kind, scale.b, quantity);
  const { columns, blocks } = profile;
  const cells = [];
  const row = (block) => columns.map((_, column) => {
    const at = (block - 1) * columns.length + column;
    const value = valueOf(quantity, scale.values, at);
    const isMasked = block === 1 && blocks > 1;
    const isFlagged = !isMasked && value !== null && (scale.values.flags?.[at] || 0) !== 0;
    const text = value === null ? "" : columns.length <= 12 ? fixed(value, 2) : "";
    const cell = el("td", {
      role: "gridcell", tabindex: "-1", class: value === null ? "none" : [isMasked && "masked", isFlagged && "flagged"].filter(Boolean).join(" "),
      "data-block": block, "data-column": columns[column],
    }, el("span", {}, text));
    if (value !== null) {
      if (!isMasked) {
        const colour = colourOf(value, ends, quantity[2]);
        cell.style.backgroundColor = colour;
        cell.style.color = isLight(colour) ? "#000" : "#fff";
        cell.style.setProperty("--hatch", isLight(colour) ? "rgba(0,0,0,.55)" : "rgba(255,255,255,.6)");
        cell.style.setProperty("--cell", colour);
      }
      const words = cellText(profile, scale, block, column);
      cell.setAttribute("aria-label", words.replaceAll("\n", "; "));
      const choose = () => { showTip(cell, words); readout.textContent = words; };
      cell.addEventListener("pointerenter", choose);
      cell.addEventListener("pointerleave", hideTip);
      cell.addEventListener("focus", choose);
      cell.addEventListener("blur", hideTip);
    }
    cells.push([cell, block, column]);
    return cell;
  });
  const body = [];
  for (let block = blocks; block >= 1; block--) {
    body.push(el("tr", {}, el("th", { scope: "row" }, String(block)), row(block)));
  }
  const heads = el("tr", {}, el("th", {}, "block"), columns.map((column) => el("th", { scope: "col" }, String(column))));
  const grid = el("table", {
    class: columns.length > 12 ? "heat many" : "heat", role: "grid",
    "aria-label": `${quantity[1]} of ${profile.model} on ${profile.corpus} by block and ${profile.kind === "semantic" ? "examples" : "position"}`,
  }, el("thead", {}, heads), el("tbody", {}, body));
  const find = (block, column) => cells.find(([, b, c]) => b === block && c === column)?.[0];
  find(blocks, columns.length - 1)?.setAttribute("tabindex", "0");
  grid.addEventListener("keydown", (event) => {
    const here = cells.find(([cell]) => cell === document.activeElement);
    const step = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!here || !step) return;
    event.preventDefault();
    const next = find(here[1] + step[0], here[2] + step[1]);
    if (!next) return;
    here[0].setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
  const colours = quantity[2] ? data.diverging : data.viridis;
  const bar = el("span", { class: "bar" });
  colours.filter((_, at) => at % 2 === 0).forEach((colour) => {
    const step = el("i");
    step.style.background = colour;
    bar.append(step);
  });
  const key = el("div", { class: "scale" }, el("span", {}, quantity[1]), el("span", {}, shown(ends[0], 3)), bar, el("span", {}, shown(ends[1], 3)),
    blocks > 1 ? el("span", {}, el("span", { class: "swatch masked" }), "block 1, not on the scale") : null,
    scale.values.flags ? el("span", {}, el("span", { class: "swatch flagged" }), "flagged") : null);
  return el("div", {}, el("div", { class: "scroll" }, grid), key);
}

// Small maps of all models on a corpus, with the same scale. A click selects one.
function gallery(profiles, b, quantity, chosen, choose) {
  const ends = sharedScale(profiles[0].kind, b, quantity);
  return el("div", { class: "gallery" }, profiles.map((profile) => {
    const scale = profile.scales.find((scale) => String(scale.b) === String(b));
    const mini = el("span", { class: "mini", "aria-hidden": "true" });
    mini.style.gridTemplateColumns = `repeat(${profile.columns.length}, 13px)`;
    for (let block = profile.blocks; block >= 1; block--) {
      profile.columns.forEach((_, column) => {
        const at = (block - 1) * profile.columns.length + column;
        const value = valueOf(quantity, scale.values, at);
        const cell = el("i", { class: block === 1 && profile.blocks > 1 ? "masked" : scale.values.flags?.[at] ? "flagged" : null });
        if (value !== null && !cell.classList.contains("masked")) {
          const colour = colourOf(value, ends, quantity[2]);
          cell.style.backgroundColor = colour;
          cell.style.setProperty("--hatch", isLight(colour) ? "rgba(0,0,0,.5)" : "rgba(255,255,255,.55)");
        }
        mini.append(cell);
      });
    }
    return el("button", { type: "button", "aria-pressed": String(profile === chosen), onclick: () => choose(profile) }, profile.model, mini);
  }));
}

// The section: menus for model, corpus, noise scale and quantity, and the map.
function profilesView() {
  const { list, n_left_out: nLeftOut, n_scales_left_out: nScales } = data.profiles;
  const place = el("div", { id: "heat" });
  const unique = (values) => [...new Set(values)];
  const model = menu("model", unique(list.map((profile) => profile.model)).map((id) => [id, id]), () => draw());
  const corpus = el("span"), which = el("span"), b = el("span"), quantity = el("span");
  const value = (name) => document.getElementById("menu-" + name)?.value;
  function step(by) {
    const next = model.options[model.selectedIndex + by];
    if (!next) return;
    model.value = next.value;
    setState("model", next.value);
    draw();
  }
  const button = (text, by) => el("button", { type: "button", onclick: () => step(by) }, text);
  function draw() {
    const ofModel = list.filter((profile) => profile.model === model.value);
    corpus.replaceChildren(label("Corpus", menu("corpus", unique(ofModel.map((profile) => profile.corpus)).map((name) => [name, name]), draw)));
    const same = ofModel.filter((profile) => profile.corpus === corpus.querySelector("select").value);
    which.replaceChildren();
    if (same.length > 1) {
      which.append(label("Profile", menu("profile", same.map((profile) => [profile.file, profile.profile || profile.file]), draw)));
    }
    const profile = same.find((profile) => profile.file === which.querySelector("select")?.value) || same[0];
    const name = (scale, at) => (scale.b === null ? "none" : shown(scale.b) + (at === 0 ? " (default)" : ""));
    b.replaceChildren(label("Noise scale b", menu("b", profile.scales.map((scale, at) => [String(scale.b), name(scale, at)]), draw)));
    const scale = profile.scales.find((scale) => String(scale.b) === b.querySelector("select").value) || profile.scales[0];
    const there = QUANTITIES[profile.kind].filter((quantity) => {
      return profile.columns.some((_, column) => valueOf(quantity, scale.values, (profile.blocks - 1) * profile.columns.length + column) !== null);
    });
    quantity.replaceChildren(label("Shown", menu("quantity", there.map(([key, text]) => [key, text]), draw)));
    const shownQuantity = there.find(([key]) => key === quantity.querySelector("select").value) || there[0];
    const readout = el("p", { class: "readout", id: "readout", role: "status" }, "Hover over a cell, or use the arrow keys, to see its value, bounds and flags.");
    const size = profile.n_params ? `, ${profile.n_params.toLocaleString("en")} parameters` : "";
    const facts = profile.facts.filter(([, value]) => value !== "").map(([name, value]) => [el("dt", {}, words(name)), el("dd", {}, value)]);
    place.replaceChildren(
      el("h3", {}, `${profile.model} on ${profile.corpus}${size}`),
      heatMap(profile, scale, shownQuantity, readout), readout,
      el("p", { class: "note" }, `${profile.kind === "semantic" ? "Examples in the prompt" : "Reading points"} across, blocks upwards. One scale for all profiles of the page. Numbers to six digits; all digits are in ${profile.file}.`),
      el("details", {}, el("summary", {}, "How it was measured"), el("dl", { class: "facts" }, facts.flat())));
    const others = list.filter((other) => other.kind === profile.kind && other.corpus === profile.corpus
      && other.scales.some((other) => String(other.b) === String(scale.b))).slice(0, MOST_MINI);
    if (others.length > 1) {
      place.append(el("h3", {}, `All models on ${profile.corpus}`), gallery(others, scale.b, shownQuantity, profile, (other) => {
        model.value = other.model;
        setState("model", other.model);
        draw();
      }));
    }
  }
  const menus = el("div", { class: "controls" }, label("Model", model), button("Previous model", -1), button("Next model", 1), corpus, which, b, quantity);
  const notes = [];
  if (nLeftOut) notes.push(`${plural(nLeftOut, "profile does", "profiles do")} not fit into this page; ${nLeftOut === 1 ? "it is" : "they are"} in the folder.`);
  if (nScales) notes.push(`${plural(nScales, "map", "maps")} of other noise scales do not fit; readings.csv contains them.`);
  draw();
  return [menus, place, notes.length ? el("p", { class: "note" }, notes.join(" ")) : null];
}
