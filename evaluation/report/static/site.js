// Tables are sorted and filtered where they stand; without this script they can still be read.
"use strict";

function valueOf(cell) {
  if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
  const text = cell.textContent.trim();
  return text === "" ? null : text.toLowerCase();
}

function compared(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en");
}

// What is missing goes last, whichever way is sorted.
function sortBy(table, heading, direction) {
  const column = heading.cellIndex;
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
  const sign = direction === "ascending" ? 1 : -1;
  keyed.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return sign * compared(one, other);
  });
  body.append(...keyed.map(([, row]) => row));
  for (const cell of heading.parentElement.cells) cell.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction);
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const button of table.querySelectorAll("thead button")) {
    button.addEventListener("click", () => {
      const heading = button.parentElement;
      const now = heading.getAttribute("aria-sort");
      const other = { ascending: "descending", descending: "ascending" };
      sortBy(table, heading, other[now] ?? button.dataset.first);
    });
  }
}

const form = document.querySelector(".filters");
if (form) {
  const chosen = (name) => document.getElementById(`filter-${name}`);
  const inputs = ["text", "suite", "scenario", "variant"].map(chosen);

  const filter = () => {
    const [text, suite, scenario, variant] = inputs.map((input) => input.value);
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const section of document.querySelectorAll(".suite")) {
      let here = 0;
      const mine = suite === "*" || section.dataset.suite === suite;
      for (const row of section.querySelectorAll("tbody tr")) {
        const { scenario: at, variant: under } = row.dataset;
        const said = `${row.querySelector("th").textContent} ${under} ${at}`.toLowerCase();
        row.hidden = !(
          mine &&
          at === (scenario === "*" ? "" : scenario) &&
          (variant === "*" || under === variant) &&
          words.every((word) => said.includes(word))
        );
        here += !row.hidden;
      }
      const all = scenario === "*" && variant === "*" && words.length === 0;
      section.hidden = !mine || (here === 0 && !all);
      for (const table of section.querySelectorAll(".scroll")) {
        table.hidden = !table.querySelector("tbody tr:not([hidden])");
      }
      found += here;
    }
    const rows = found === 1 ? "1 row" : `${found} rows`;
    form.querySelector(".found").textContent = found ? rows : "Nothing matches; clear a filter.";
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  for (const input of inputs) input.addEventListener("input", filter);
  filter(); // a browser may have kept what was chosen before
}

for (const choice of document.querySelectorAll("select.views")) {
  const show = () => {
    const panel = choice.closest(".panel");
    for (const view of panel.querySelectorAll(".view")) {
      view.hidden = view.dataset.view !== choice.value;
    }
    panel.dispatchEvent(new CustomEvent("viewchange"));
  };
  choice.addEventListener("input", show);
  show();
}
