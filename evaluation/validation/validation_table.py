"""Tables of the validation for the terminal: anchors, and errors by family."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from evaluation.validation.validate import AnchorResult, summary

#: A family with more anchors is shown by its summary alone.
MAX_ROWS = 12


def render(results: Sequence[AnchorResult], console: Console, *, every: bool = False) -> None:
    """Print the table of anchors and the summary by family.

    A family with many anchors shows its summary only, unless ``every`` anchor is asked for.
    """
    console.print(_anchors(results, every=every))
    console.print(_families(results))


def _anchors(results: Sequence[AnchorResult], *, every: bool) -> Table:
    families = [result.family for result in results]
    table = Table(title="The machine model against published figures")
    for name in ("anchor", "use"):
        table.add_column(name)
    for name in ("published", "predicted", "error"):
        table.add_column(name, justify="right")
    table.add_column("source", overflow="fold")
    for result in results:
        if every or families.count(result.family) <= MAX_ROWS:
            figures = (f"{result.published:.4g} {result.unit}", f"{result.predicted:.4g}")
            source = result.source.removeprefix("https://")
            error = f"{result.error_pct:+.1f} %"
            table.add_row(result.id, result.use, *figures, error, source)
    return table


def _families(results: Sequence[AnchorResult]) -> Table:
    errors = summary(results)
    table = Table(title="Absolute error by family")
    table.add_column("family · use")
    for name in ("anchors", "median", "worst"):
        table.add_column(name, justify="right")
    totals = {f"all · {use}": row for use, row in errors["uses"].items()}
    if errors["points"]:
        totals["all · point, no target"] = errors["points"]
    for section in (errors["families"], totals):
        for label, row in section.items():
            median, worst = f"{row['median_pct']:.1f} %", f"{row['worst_pct']:.1f} %"
            table.add_row(label, str(row["anchors"]), median, worst)
        table.add_section()
    return table
