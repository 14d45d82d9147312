"""The report of a serving simulation as one page."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from evaluation.report import plot_page
from evaluation.report.panel import Table
from evaluation.report.serving_plots import plots
from evaluation.serving.results import fault_table
from evaluation.serving.results.result import Result
from evaluation.serving.results.view import (
    EXECUTOR_HEADINGS,
    LATENCY_HEADINGS,
    executor_rows,
    headline,
    latency_rows,
    rates,
)


def write_report(result: Result, path: Path) -> None:
    """Write the report of a simulation.

    Parameters
    ----------
    result
        The simulation.
    path
        As in :func:`evaluation.report.plot_page.write`.

    Raises
    ------
    ValueError, ImportError
        As in :func:`evaluation.report.plot_page.write`.
    """
    plot_page.write(path, result.name, plots(result), page_text(result))


def page_text(result: Result) -> plot_page.PageText:
    """Return the sentences and tables of the report."""
    summary = result.summary
    tables = {
        "Latency": _table(LATENCY_HEADINGS, latency_rows(summary)),
        "Task executors": _table(EXECUTOR_HEADINGS, executor_rows(summary["executors"])),
    }
    faults = summary.get("faults")
    if faults:
        tables["Faults"] = _table(fault_table.HEADINGS, fault_table.rows(faults))
    scenario = json.dumps(result.scenario, indent=1, default=str, ensure_ascii=False)
    return plot_page.PageText(
        (headline(result), *rates(result)), tables, details={"Scenario": scenario}
    )


def _table(headings: Iterable[Sequence[str]], rows: Iterable[Sequence[str]]) -> Table:
    """Return a table of the terminal, whose headings are lists of lines, as one of the page."""
    joined = tuple("\n".join(filter(None, lines)) for lines in headings)
    return Table(joined, tuple(map(tuple, rows)))
