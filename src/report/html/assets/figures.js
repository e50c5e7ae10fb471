// Shows the SVG figures of `surmise report`. Each point of a figure shows the table row that it represents.

const SVG = "http://www.w3.org/2000/svg";
const TAGS = new Set(["svg", "g", "rect", "circle", "polygon", "polyline", "line", "path", "text"]);

// Converts SVG to elements. Allows only shapes and texts, without listeners or links.
function svgOf(text, name) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  const svg = document.importNode(parsed, true);
  for (const element of [svg, ...svg.querySelectorAll("*")]) {
    if (!TAGS.has(element.localName)) element.remove();
    for (const attribute of [...element.attributes]) {
      if (/^on|href$/i.test(attribute.name)) element.removeAttribute(attribute.name);
    }
  }
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", name);
  return svg;
}

// A figure with selectable points. The pointer or the arrow keys select a point; `text` describes it.
function figureView(svgText, points, name, text) {
  const svg = svgOf(svgText, name);
  const figure = el("div", { class: "figure" });
  figure.append(svg);
  if (!points.length) return figure;
  const hits = points.map(([x, y, row]) => {
    const hit = document.createElementNS(SVG, "circle");
    for (const [attribute, value] of [["cx", x], ["cy", y], ["r", 13], ["class", "hit"]]) hit.setAttribute(attribute, value);
    hit.addEventListener("pointerenter", () => choose(hit));
    hit.addEventListener("pointerleave", leave);
    hit.text = text(row);
    svg.append(hit);
    return hit;
  });
  const order = hits.map((hit, at) => [points[at][0], hit]).sort((a, b) => a[0] - b[0]).map(([, hit]) => hit);
  let at = -1;
  function choose(hit) {
    hits.forEach((other) => other.classList.toggle("on", other === hit));
    at = order.indexOf(hit);
    showTip(hit, hit.text);
    live.textContent = hit.text;
  }
  function leave() {
    hits.forEach((hit) => hit.classList.remove("on"));
    hideTip();
  }
  const live = el("p", { class: "note readout", role: "status" }, "Hover over a point, or use the arrow keys here, to see its values.");
  svg.setAttribute("tabindex", "0");
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    choose(order[Math.min(order.length - 1, Math.max(0, at + step))]);
  });
  svg.addEventListener("blur", leave);
  figure.append(live);
  return figure;
}
