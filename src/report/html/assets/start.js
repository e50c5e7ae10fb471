// Draws the page, and redraws it when a server has new data.

function draw() {
  const scroll = window.scrollY;
  const focus = document.activeElement?.id;
  const ends = document.activeElement?.selectionStart;
  printed.length = 0;
  hideTip();
  document.getElementById("title").textContent = data.title;
  const main = document.getElementById("main");
  const parts = data.problems.map((problem) => el("p", { class: "problem", role: "alert" }, problem));
  const all = sections();
  for (const [id, title, view, isThere, missing] of all) {
    const children = isThere ? view() : [el("p", { class: "note" }, missing)];
    parts.push(el("section", { id, "aria-labelledby": id + "-title" }, el("h2", { id: id + "-title" }, title), children));
  }
  main.replaceChildren(...parts);
  // The menus of the profiles exist only after drawing.
  document.getElementById("nav").replaceChildren(...all.map(([id, title]) => el("a", {
    href: "#" + id, onclick: (event) => { event.preventDefault(); document.getElementById(id).scrollIntoView(); },
  }, title)));
  window.scrollTo(0, scroll);
  const before = focus && document.getElementById(focus);
  if (before && before !== main) {
    before.focus({ preventScroll: true });
    if (ends !== undefined && ends !== null && before.setSelectionRange) before.setSelectionRange(ends, ends);
  }
}

const themes = ["system", "light", "dark"];
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function applyTheme() {
  const theme = state.get("colours") || "system";
  const isDark = theme === "dark" || (theme === "system" && prefersDark.matches);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  document.getElementById("theme").textContent = "Colours: " + theme;
}

document.getElementById("theme").addEventListener("click", () => {
  const next = themes[(themes.indexOf(state.get("colours") || "system") + 1) % themes.length];
  setState("colours", next === "system" ? "" : next);
  applyTheme();
});
prefersDark.addEventListener("change", applyTheme);

const status = document.getElementById("status");
const made = () => `surmise ${data.tool_version}`;

// Polls whether a result changed. Sends the next request only after a response.
async function watch(version) {
  let now = version;
  try {
    const response = await fetch("version");
    if (!response.ok) throw new Error(await response.text());
    now = (await response.json()).version;
    if (now !== version) {
      const answer = await fetch("data");
      if (!answer.ok) throw new Error(await answer.text());
      data = await answer.json();
      draw();
    }
    status.textContent = made() + "; follows the folder";
  } catch (error) {
    now = version;
    status.textContent = `${made()}; not up to date: ${error.message}`;
  }
  setTimeout(() => watch(now), 2000);
}

applyTheme();
draw();
status.textContent = made();
if (liveVersion) watch(liveVersion);
