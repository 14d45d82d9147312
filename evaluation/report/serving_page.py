"""The report of a serving simulation: one HTML page that needs nothing else, no network either."""

import json
from pathlib import Path
from typing import Any

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
from traces.atomic_file import atomic_write

TEMPLATE = "serving.html.j2"
#: Shared with `podlab report`.
THEME = Path(__file__).parent / "static" / "plot_theme.js"


def write_report(result: Result, path: Path) -> None:
    """Write the report of a simulation, whole or not at all.

    Parameters
    ----------
    result
        The simulation.
    path
        The page, of about 5 to 7 MB, most of which is Plotly.

    Raises
    ------
    ImportError
        If plotly or jinja2 is not installed.
    """
    page = report(result)
    with atomic_write(path, "w") as file:
        file.write(page)


def report(result: Result) -> str:
    """Return the page as text; errors as of :func:`write_report`."""
    try:
        import jinja2
        import plotly.offline
    except ImportError as error:
        raise ImportError(
            f"a report needs plotly and jinja2 ({error}): pip install 'podlab[lab]'"
        ) from None
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = [(plot.title, plot.caption, _inlined(plot.figure)) for plot in plots(result)]
    tables = [
        ("Latency", LATENCY_HEADINGS, latency_rows(result.summary)),
        ("Task executors", EXECUTOR_HEADINGS, executor_rows(result.summary["executors"])),
    ]
    faults = result.summary.get("faults")
    if faults:
        tables.append(("Faults", fault_table.HEADINGS, fault_table.rows(faults)))
    return environment.get_template(TEMPLATE).render(
        name=result.name,
        headline=headline(result),
        rates=rates(result),
        tables=tables,
        plots=drawn,
        scenario=json.dumps(result.scenario, indent=1, default=str, ensure_ascii=False),
        plotly=plotly.offline.get_plotlyjs(),
        theme=THEME.read_text(encoding="utf-8"),
    )


def _inlined(figure: Any) -> str:
    """Return a figure as JSON that no name in it can end the script of."""
    figure.update_layout(template="none")
    return str(figure.to_json()).replace("<", "\\u003c")
