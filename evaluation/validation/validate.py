"""The machine model against published figures: predicted, published, error."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.validation.anchors import Anchor
from evaluation.validation.predictions import KINDS

if TYPE_CHECKING:
    from rich.console import Console

#: What the project asks of itself, in percent: median error on anchors of each use, and the worst.
TARGETS = {"fit": 7.0, "check": 12.0}
WORST = 30.0


@dataclass(frozen=True)
class Result:
    """An anchor and what the model says."""

    id: str
    family: str
    use: str
    published: float
    predicted: float
    error_pct: float
    unit: str
    source: str


def validate(
    anchors: Sequence[Anchor], on_result: Callable[[Result], None] | None = None
) -> list[Result]:
    """Predict every anchor.

    Raises
    ------
    ValueError
        Naming the anchor whose conditions are wrong or incomplete.
    """
    results = []
    for anchor in anchors:
        given = {**anchor.conditions, "format": anchor.conditions.get("format", "bf16")}
        try:
            predicted = float(KINDS[anchor.kind](given))
        except KeyError as error:
            raise ValueError(f"anchor {anchor.id!r}: condition {error} is missing") from None
        except ValueError as error:
            raise ValueError(f"anchor {anchor.id!r}: {error}") from None
        error_pct = 100 * (predicted / anchor.published - 1)
        numbers = (anchor.published, predicted, error_pct, anchor.unit, anchor.source)
        results.append(Result(anchor.id, anchor.family, anchor.use, *numbers))
        if on_result is not None:
            on_result(results[-1])
    return results


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """Return median and worst absolute error in percent: by use, and by family and use.

    Operating points, which are held to no target, stand apart; None where there are none.
    """
    families = {}
    for key in dict.fromkeys((one.family, one.use) for one in results):
        mine = [one for one in results if (one.family, one.use) == key]
        families[" · ".join(key)] = _errors(mine)
    uses = {use: [one for one in results if one.use == use] for use in TARGETS}
    points = [one for one in results if one.use == "point"]
    return {
        "uses": {use: _errors(mine) for use, mine in uses.items() if mine},
        "points": _errors(points) if points else None,
        "families": families,
        "targets": {**TARGETS, "worst": WORST},
    }


def _errors(results: Sequence[Result]) -> dict[str, float]:
    error = np.array([abs(one.error_pct) for one in results])
    return {
        "anchors": len(results),
        "median_pct": round(float(np.median(error)), 2),
        "worst_pct": round(float(error.max()), 2),
    }


def report(results: Sequence[Result]) -> dict[str, Any]:
    """Return what ``podlab validate --json`` prints."""
    return {"anchors": [asdict(one) for one in results], "summary": summary(results)}


def render(results: Sequence[Result], console: "Console", *, every: bool = False) -> None:
    """Print the table of anchors and the summary by family.

    Families of many rows show their summary alone, unless ``every`` anchor is asked for.
    """
    from rich.table import Table

    sizes = {one.family: sum(o.family == one.family for o in results) for one in results}
    anchors = Table(title="The machine model against published figures")
    for name in ("anchor", "use"):
        anchors.add_column(name)
    for name in ("published", "predicted", "error"):
        anchors.add_column(name, justify="right")
    anchors.add_column("source", overflow="fold")
    for one in results:
        if every or sizes[one.family] <= 12:
            figures = (f"{one.published:.4g} {one.unit}", f"{one.predicted:.4g}")
            source = one.source.removeprefix("https://")
            anchors.add_row(one.id, one.use, *figures, f"{one.error_pct:+.1f} %", source)
    console.print(anchors)
    found = summary(results)
    table = Table(title="Absolute error by family")
    for name, justify in (("family · use", "left"), ("anchors", "right")):
        table.add_column(name, justify="left" if justify == "left" else "right")
    for name in ("median", "worst"):
        table.add_column(name, justify="right")
    whole = dict(found["uses"])
    if found["points"]:
        whole["point, no target"] = found["points"]
    for kind, rows in (("families", found["families"]), ("uses", whole)):
        for name, errors in rows.items():
            cells = (str(errors["anchors"]), f"{errors['median_pct']:.1f} %")
            label = name if kind == "families" else f"all · {name}"
            table.add_row(label, *cells, f"{errors['worst_pct']:.1f} %")
        table.add_section()
    console.print(table)
