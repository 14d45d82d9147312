"""Compare the machine model with published figures: predicted, published, error."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evaluation.validation.anchors import Anchor
from evaluation.validation.predictions import KINDS

#: Targets of the project, percent: median error on the anchors of each use, and the worst error.
TARGETS = {"fit": 7.0, "check": 12.0}
WORST = 30.0


@dataclass(frozen=True)
class AnchorResult:
    """An anchor with the prediction of the model."""

    id: str
    family: str
    use: str
    published: float
    predicted: float
    error_pct: float
    unit: str
    source: str


def validate(
    anchors: Sequence[Anchor], on_result: Callable[[AnchorResult], None] | None = None
) -> list[AnchorResult]:
    """Predict every anchor.

    Raises
    ------
    ValueError
        Naming the anchor, if its conditions are wrong or incomplete.
    """
    results = []
    for anchor in anchors:
        conditions = {**anchor.conditions, "format": anchor.conditions.get("format", "bf16")}
        try:
            predicted = float(KINDS[anchor.kind](conditions))
        except KeyError as error:
            raise ValueError(f"anchor {anchor.id!r}: condition {error} is missing") from None
        except ValueError as error:
            raise ValueError(f"anchor {anchor.id!r}: {error}") from None
        error_pct = 100 * (predicted / anchor.published - 1)
        numbers = (anchor.published, predicted, error_pct, anchor.unit, anchor.source)
        results.append(AnchorResult(anchor.id, anchor.family, anchor.use, *numbers))
        if on_result is not None:
            on_result(results[-1])
    return results


def summary(results: Sequence[AnchorResult]) -> dict[str, Any]:
    """Return median and worst absolute error in percent, by use, and by family and use.

    Operating points have no target. They have a separate entry, which is None without any.
    """
    families = {}
    for key in dict.fromkeys((result.family, result.use) for result in results):
        group = [result for result in results if (result.family, result.use) == key]
        families[" · ".join(key)] = _errors(group)
    uses = {use: [result for result in results if result.use == use] for use in TARGETS}
    points = [result for result in results if result.use == "point"]
    return {
        "uses": {use: _errors(group) for use, group in uses.items() if group},
        "points": _errors(points) if points else None,
        "families": families,
        "targets": {**TARGETS, "worst": WORST},
    }


def _errors(results: Sequence[AnchorResult]) -> dict[str, float]:
    error = np.array([abs(result.error_pct) for result in results])
    return {
        "anchors": len(results),
        "median_pct": round(float(np.median(error)), 2),
        "worst_pct": round(float(error.max()), 2),
    }


def report(results: Sequence[AnchorResult]) -> dict[str, Any]:
    """Return the content of ``podlab validate --json``."""
    return {"anchors": [asdict(result) for result in results], "summary": summary(results)}
