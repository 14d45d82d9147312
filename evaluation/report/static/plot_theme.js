// What all plots share beside their figures: colours of the page, light or dark, and room for axes.
"use strict";

const narrow = window.matchMedia("(max-width: 40rem)");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function merged(axis, own = {}) {
  return { ...axis, ...own, title: { ...axis.title, ...own.title } };
}

// Colours that differ between light and dark; all others are in the figures.
function themed(figure) {
  const axis = {
    gridcolor: colour("--line"),
    zerolinecolor: colour("--line"),
    linecolor: colour("--line"),
    automargin: true,
    title: { standoff: 10 },
  };
  const ground = colour("--surface") || colour("--paper");
  const layout = {
    margin: { l: 10, r: 10, t: 10, b: 40 },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, maxheight: 0.3 },
    hovermode: "closest",
    ...figure.layout,
    paper_bgcolor: ground,
    plot_bgcolor: ground,
    font: { color: colour("--ink"), family: "system-ui, sans-serif", size: 12 },
    hoverlabel: { bgcolor: ground, bordercolor: colour("--faint"), font: { color: colour("--ink") } },
    xaxis: merged(axis, figure.layout.xaxis),
    yaxis: merged(axis, figure.layout.yaxis),
  };
  const data = figure.data.map((trace) => {
    if (trace.meta?.text && narrow.matches) return { ...trace, ...trace.meta };
    if (trace.meta !== "diverging") return trace;
    const scale = [[0, "#2a78b8"], [0.5, colour("--middle")], [1, "#d95f0e"]];
    return { ...trace, colorscale: scale };
  });
  return [data, layout];
}
