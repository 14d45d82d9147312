"""Run a sample of a submission again, and compare the scores record by record."""

import json
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.candidates.sandbox.limits import Limits
from evaluation.kinds.submitted_task import submitted_task
from evaluation.records.submission.unpack import Submission

#: Relative difference up to which a score reproduces: other builds of numpy and numba round sums
#: differently. The value is our choice.
TOLERANCE = 1e-6

#: Fields that must be equal before the scores of two records can be compared.
GROUP = ("suite", "trace_hash", "fabric_hash")


@dataclass(frozen=True)
class Verdict:
    """Outcome for one record.

    Parameters
    ----------
    record
        Name of the record in the submission.
    outcome
        "exact"; "within tolerance"; "differs"; or "not checked".
    reason
        Why it differs or was not checked; else empty.
    """

    record: str
    outcome: str
    reason: str = ""


def verify(
    submission: Submission,
    sample: int | None = 10,
    seed: int = 0,
    *,
    tolerance: float = TOLERANCE,
    limits: Limits = Limits(),  # noqa: B008 - immutable
    on_verdict: Callable[[Verdict], None] = lambda verdict: None,
) -> list[Verdict]:
    """Run records again and compare.

    Solvers from files run in the sandbox whatever the record says, and only scenarios that a
    bundled suite has are run, so that a submission cannot name files of this machine.

    Parameters
    ----------
    submission
        As :func:`evaluation.records.submission.unpack.unpack` returns it.
    sample
        Number of records, drawn without replacement; ``None``: all.
    seed
        Random seed of the draw.
    tolerance
        Relative difference of a score that still counts as reproduced.
    limits
        Limits of a solver from a file.
    on_verdict
        Called with each verdict as soon as it is known.

    Raises
    ------
    ValueError
        If ``sample`` is below 1, or ``tolerance`` negative or not finite.
    """
    if sample is not None and sample < 1:
        raise ValueError(f"sample = {sample} < 1; give how many records to run again")
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"tolerance = {tolerance} is not a finite number >= 0")
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="podlab-verify-") as folder:
        for name in _sample(list(submission.records), sample, seed):
            verdict = _verdict(name, submission, Path(folder), tolerance, limits)
            on_verdict(verdict)
            verdicts.append(verdict)
    return verdicts


def _sample(names: list[str], sample: int | None, seed: int) -> list[str]:
    """Return a random sample of names in their order, or all of them."""
    if sample is None or sample >= len(names):
        return names
    drawn = np.random.default_rng(seed).choice(len(names), sample, replace=False)
    return [names[number] for number in sorted(drawn.tolist())]


def _verdict(
    name: str, submission: Submission, folder: Path, tolerance: float, limits: Limits
) -> Verdict:
    record = submission.records[name]
    try:
        task = submitted_task(record, submission, folder, limits)
    except ValueError as error:
        return Verdict(name, "not checked", str(error))
    again = json.loads(json.dumps(task.run()))
    for key in GROUP:
        if again.get(key) != record.get(key):
            text = f"{key} is {again.get(key)!r} here, and {record.get(key)!r} there"
            return Verdict(name, "not checked", text)
    if again["status"] != record.get("status"):
        text = f"it is {again['status']} here ({again.get('reason', 'with scores')})"
        return Verdict(name, "differs", f"{text}, and {record.get('status')!r} there")
    return _compare_scores(name, record.get("scores", {}), again.get("scores", {}), tolerance)


def _compare_scores(name: str, there: Any, here: dict[str, float], tolerance: float) -> Verdict:
    if not isinstance(there, dict) or set(there) != set(here):
        return Verdict(name, "differs", f"its scores are not {', '.join(here)}")
    if there == here:
        return Verdict(name, "exact")
    for key, value in here.items():
        if not _is_close(there[key], value, tolerance):
            text = f"{key} is {value!r} here, and {str(there[key])[:40]!r} there"
            return Verdict(name, "differs", text)
    return Verdict(name, "within tolerance")


def _is_close(score: Any, value: float, tolerance: float) -> bool:
    try:
        return math.isclose(float(score), value, rel_tol=tolerance, abs_tol=1e-12)
    except (TypeError, ValueError, OverflowError):
        return False
