// Plots are drawn when they come near the window; colours are those of plot_theme.js.
"use strict";

const figures = new Map(); // plot to figure, of those that are drawn

function draw(plot) {
  if (!figures.has(plot)) {
    figures.set(plot, JSON.parse(plot.parentElement.querySelector("script").textContent));
  }
  const config = { responsive: true, displaylogo: false, displayModeBar: false };
  return Plotly.react(plot, ...themed(figures.get(plot)), config);
}

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting && !figures.has(target)) draw(target);
    }
  },
  { rootMargin: "300px" },
);
for (const plot of document.querySelectorAll(".plot")) near.observe(plot);
for (const query of [dark, narrow]) {
  query.addEventListener("change", () => [...figures.keys()].forEach(draw));
}
window.addEventListener("beforeprint", () => document.querySelectorAll(".view:not([hidden]) .plot").forEach(draw));
