"""Compare the machine model with published figures: predicted, published, error."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evaluation.validation.anchors import LEFT_OUT, Anchor
from evaluation.validation.predictions import KINDS

#: The three lanes, from single kernels to whole systems, and the kinds of anchors in each.
LANES = {
    "kernels": (
        "kernel",
        "attention module",
        "sparse attention",
        "linear attention",
        "expert module",
        "exchange",
        "send",
    ),
    "steps": ("layer", "in situ", "share", "disaggregated"),
    "systems": ("step", "tokens per second"),
}
#: Gains by overlap, whose sign counts: ratios near 1 have small errors whatever the model.
ABLATIONS = "ablations"
#: Uses that count in a summary.
COUNTED = ("fit", "check")


@dataclass(frozen=True)
class AnchorResult:
    """An anchor with the prediction of the model and of the textbook's roofline.

    Parameters
    ----------
    id, family, use, lane, unit, source
        As in the anchor; the lane of its kind.
    published, predicted, textbook
        Figures in ``unit``; ``textbook`` is :mod:`evaluation.validation.textbook`.
    error_pct
        Predicted over published, less 1, in percent.
    """

    id: str
    family: str
    use: str
    lane: str
    published: float
    predicted: float
    textbook: float
    error_pct: float
    unit: str
    source: str


def lane(anchor: Anchor) -> str:
    """Return "kernels", "steps", "systems" or, of a gain by overlap, "ablations"."""
    if anchor.kind == "overlap gain":
        return ABLATIONS
    # A whole step of a disaggregated deployment is a system, its stages are not.
    if anchor.conditions.get("stage") == "step":
        return "systems"
    return next(name for name, kinds in LANES.items() if anchor.kind in kinds)


def validate(
    anchors: Sequence[Anchor], on_result: Callable[[AnchorResult], None] | None = None
) -> list[AnchorResult]:
    """Predict every anchor that is not left out.

    Raises
    ------
    ValueError
        Naming the anchor, if its conditions are wrong or incomplete.
    """
    results = []
    for anchor in anchors:
        if anchor.use == LEFT_OUT:
            continue
        predicted = _predict(anchor, textbook=False)
        baseline = _predict(anchor, textbook=True)
        error_pct = 100 * (predicted / anchor.published - 1)
        names = (anchor.id, anchor.family, anchor.use, lane(anchor))
        numbers = (anchor.published, predicted, baseline, error_pct)
        results.append(AnchorResult(*names, *numbers, anchor.unit, anchor.source))
        if on_result is not None:
            on_result(results[-1])
    return results


def _predict(anchor: Anchor, *, textbook: bool) -> float:
    conditions = {**anchor.conditions, "textbook": textbook}
    conditions.setdefault("format", "bf16")
    try:
        return float(KINDS[anchor.kind](conditions))
    except KeyError as error:
        raise ValueError(f"anchor {anchor.id!r}: condition {error} is missing") from None
    except ValueError as error:
        raise ValueError(f"anchor {anchor.id!r}: {error}") from None


def left_out(anchors: Sequence[Anchor]) -> dict[tuple[str, str], int]:
    """Return the number of rows that are not predicted, by family and reason."""
    found: dict[tuple[str, str], int] = {}
    for anchor in anchors:
        if anchor.use == LEFT_OUT:
            key = (anchor.family, anchor.why)
            found[key] = found.get(key, 0) + 1
    return found


def summary(results: Sequence[AnchorResult]) -> dict[str, Any]:
    """Return the errors by lane, by lane and use, and by family.

    All are errors of seconds: of a figure in tokens/s that of its inverse. Repeats do not count.

    Returns
    -------
    dict
        ``lanes``, ``uses`` and ``families``: name to the figures of :func:`errors`.
        ``ablations``: how many gains by overlap there are, and how many have the ``right_sign``.
    """
    counted = [result for result in results if result.use in COUNTED and result.lane in LANES]
    lanes = {name: [r for r in counted if r.lane == name] for name in LANES}
    uses = {
        f"{name} · {use}": [result for result in group if result.use == use]
        for name, group in lanes.items()
        for use in COUNTED
    }
    families = {
        family: [result for result in counted if result.family == family]
        for family in dict.fromkeys(result.family for result in counted)
    }
    gains = [result for result in results if result.lane == ABLATIONS]
    right = sum((one.predicted > 1) == (one.published > 1) for one in gains)
    found: dict[str, Any] = {
        key: {name: errors(group) for name, group in groups.items() if group}
        for key, groups in (("lanes", lanes), ("uses", uses), ("families", families))
    }
    return {**found, ABLATIONS: {"figures": len(gains), "right_sign": right}}


def errors(results: Sequence[AnchorResult]) -> dict[str, float]:
    """Return median, 90th percentile and worst absolute error, and the bias, in percent.

    The bias is the geometric mean of predicted over published seconds, less 1: negative where the
    model is too fast. ``textbook_…`` are the same of the baseline.
    """
    found: dict[str, float] = {"figures": len(results)}
    for prefix, name in (("", "predicted"), ("textbook_", "textbook")):
        ratio = np.array([_seconds_ratio(result, getattr(result, name)) for result in results])
        error = 100 * np.abs(ratio - 1)
        found[f"{prefix}median_pct"] = round(float(np.median(error)), 2)
        found[f"{prefix}p90_pct"] = round(float(np.percentile(error, 90)), 2)
        found[f"{prefix}worst_pct"] = round(float(error.max()), 2)
        found[f"{prefix}bias_pct"] = round(100 * float(np.exp(np.log(ratio).mean()) - 1), 2)
    return found


def _seconds_ratio(result: AnchorResult, predicted: float) -> float:
    """Return predicted over published, of seconds."""
    ratio = predicted / result.published
    return 1 / ratio if result.unit == "tokens/s" else ratio


def report(results: Sequence[AnchorResult], anchors: Sequence[Anchor]) -> dict[str, Any]:
    """Return the content of ``podlab validate --json``."""
    skipped = [
        {"family": family, "why": why, "rows": rows}
        for (family, why), rows in left_out(anchors).items()
    ]
    figures = [asdict(result) for result in results]
    return {"anchors": figures, "left_out": skipped, "summary": summary(results)}
