"""Tables of the validation for the terminal: anchors, families, and the three lanes."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from evaluation.validation.anchors import Anchor
from evaluation.validation.leave_out import LeftOut, overall
from evaluation.validation.validate import AnchorResult, left_out, summary

#: A family with more anchors is shown by its summary alone.
MAX_ROWS = 12


def render(
    results: Sequence[AnchorResult],
    anchors: Sequence[Anchor],
    console: Console,
    *,
    every: bool = False,
) -> None:
    """Print the table of anchors, the errors by family and lane, and what is left out.

    A family with many anchors shows its summary only, unless ``every`` anchor is asked for.
    """
    console.print(_anchors(results, every=every))
    found = summary(results)
    console.print(_errors("Errors by family", "family", found["families"]))
    lanes = {
        name: row
        for lane, whole in found["lanes"].items()
        for name, row in [
            (lane, whole),
            *((use, row) for use, row in found["uses"].items() if use.startswith(f"{lane} ")),
        ]
    }
    console.print(_errors("Errors by lane", "lane", lanes))
    gains = found["ablations"]
    if gains["figures"]:
        console.print(
            f"Gains and losses by overlap: {gains['right_sign']} of {gains['figures']} have the "
            "published sign."
        )
    skipped = left_out(anchors)
    repeats = sum(result.use == "repeat" for result in results)
    console.print(f"Shown but not counted, because they repeat another figure: {repeats}.")
    console.print(f"Left out: {sum(skipped.values())} rows.")
    for (family, why), rows in skipped.items():
        console.print(f"  {rows} of {family}: {why}")


def render_left_out(found: Sequence[LeftOut], console: Console) -> None:
    """Print the errors on devices that no surface was fitted on."""
    title = "Leave one device out: its data sheet alone, and with a few of its rows"
    table = Table(title=title)
    for name in ("kernels", "device", "from"):
        table.add_column(name)
    for name in ("figures", "interpolated", "median, p90, worst, bias", "with rows", "the same"):
        table.add_column(name, justify="right")
    for one in found:
        sheet = (one.median_pct, one.p90_pct, one.worst_pct, one.bias_pct)
        own = (one.own_median_pct, one.own_p90_pct, one.own_worst_pct, one.own_bias_pct)
        cells = ["{:.1f}, {:.1f}, {:.1f}, {:+.1f} %".format(*row) for row in (sheet, own)]
        counts = (str(one.figures), f"{100 * one.inside:.0f} %")
        names = (one.family, one.device, ", ".join(one.sources))
        table.add_row(*names, *counts, cells[0], str(one.own_rows), cells[1])
    console.print(table)
    middle = {key: f"{value:.1f} %" for key, value in overall(found).items()}
    console.print(
        f"Medians of these: median {middle['median_pct']}, p90 {middle['p90_pct']} from data "
        f"sheets; {middle['own_median_pct']} and {middle['own_p90_pct']} with rows."
    )


def _anchors(results: Sequence[AnchorResult], *, every: bool) -> Table:
    families = [result.family for result in results]
    table = Table(title="The machine model against published figures")
    for name in ("anchor", "use"):
        table.add_column(name)
    for name in ("published", "predicted", "error", "textbook"):
        table.add_column(name, justify="right")
    table.add_column("source", overflow="fold")
    for result in results:
        if every or families.count(result.family) <= MAX_ROWS:
            figures = (f"{result.published:.4g} {result.unit}", f"{result.predicted:.4g}")
            source = result.source.removeprefix("https://")
            error = f"{result.error_pct:+.1f} %"
            textbook = f"{100 * (result.textbook / result.published - 1):+.1f} %"
            table.add_row(result.id, result.use, *figures, error, textbook, source)
    return table


def _errors(title: str, label: str, rows: Mapping[str, Mapping[str, float]]) -> Table:
    """Return a table of errors of seconds, the model's and the textbook roofline's."""
    table = Table(title=title)
    table.add_column(label, no_wrap=True)
    for name in ("figures", "median", "p90", "worst", "bias", "textbook roofline"):
        table.add_column(name, justify="right")
    for name, row in rows.items():
        cells = [f"{row[f'{key}_pct']:.1f} %" for key in ("median", "p90", "worst")]
        same = (row[f"textbook_{key}_pct"] for key in ("median", "p90", "worst", "bias"))
        textbook = "{:.1f}, {:.1f}, {:.1f}, {:+.1f} %".format(*same)
        table.add_row(name, str(row["figures"]), *cells, f"{row['bias_pct']:+.1f} %", textbook)
    return table
