"use strict";
// Creates elements, formats numbers and stores the state of the page. Data are inserted only as text.

let data = JSON.parse(document.getElementById("data").textContent);
const liveVersion = document.body.dataset.live;

// Creates an element with attributes, listeners (names that begin with "on") and children (elements or
// texts).
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// Formats a number with at most `digits` significant digits. Counts keep all digits.
function shown(value, digits = 6) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(digits)));
}

// Formats a number with a fixed number of decimals. Zero has no sign.
function fixed(value, decimals) {
  const text = value.toFixed(decimals);
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text;
}

function plural(n, one, many) {
  return n === 1 ? `${n} ${one}` : `${n} ${many}`;
}

function words(name) {
  return name.replaceAll("_", " ");
}

// The URL stores the selection, so that a link or a reload shows the same view.
const state = new Map(new URLSearchParams(location.hash.startsWith("#?") ? location.hash.slice(2) : ""));

function setState(name, value) {
  if (value === "" || value === null) state.delete(name);
  else state.set(name, String(value));
  const text = new URLSearchParams([...state]).toString();
  history.replaceState(null, "", text ? "#?" + text : location.pathname + location.search);
}

function label(text, control) {
  return el("label", {}, text, control);
}

// Creates a menu of options, each a pair of value and text. An unknown choice selects the first option.
function menu(name, options, changed) {
  const select = el("select", { name, id: "menu-" + name, onchange: () => { setState(name, select.value); changed(); } });
  for (const [value, text] of options) select.append(el("option", { value }, text));
  const wanted = state.get(name);
  if (options.some(([value]) => value === wanted)) select.value = wanted;
  return select;
}

const tip = document.getElementById("tip");

function showTip(target, text) {
  tip.textContent = text;
  tip.hidden = false;
  const box = target.getBoundingClientRect();
  const left = Math.min(box.left + box.width / 2 + 12, document.documentElement.clientWidth - tip.offsetWidth - 8);
  const below = box.bottom + 8 + tip.offsetHeight < window.innerHeight;
  tip.style.left = window.scrollX + Math.max(4, left) + "px";
  tip.style.top = window.scrollY + (below ? box.bottom + 8 : box.top - tip.offsetHeight - 8) + "px";
}

function hideTip() {
  tip.hidden = true;
}

document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
