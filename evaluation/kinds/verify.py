"""Run a sample of a submission again, and say record by record whether its scores come out."""

import json
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import lb
from evaluation.candidates.candidate import Candidate
from evaluation.candidates.sandbox.limits import Limits
from evaluation.kinds import name_of, named, suite_file
from evaluation.kinds.entrants import entrants
from evaluation.kinds.suite import Suite
from evaluation.kinds.task import Task, tasks
from evaluation.records.submission.unpack import Submission

#: Relative difference of a score up to which it reproduces: other builds of numpy and numba round
#: sums otherwise. Ours.
TOLERANCE = 1e-6

#: What a record that is run again must agree in before its scores can be compared.
GROUP = ("suite", "trace_hash", "fabric_hash")


@dataclass(frozen=True)
class Verdict:
    """What came of one record.

    Parameters
    ----------
    record
        Its name in the submission.
    outcome
        "exact"; "within tolerance"; "differs"; or "not checked".
    reason
        In words, where it differs or was not checked.
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
        How many records, drawn without replacement; ``None``: all.
    seed
        Of the draw.
    tolerance
        Relative difference of a score that still counts as reproduced.
    limits
        What a solver from a file may use.
    on_verdict
        Told of each verdict as it falls.

    Raises
    ------
    ValueError
        If ``sample`` is below 1, or ``tolerance`` negative or not finite.
    """
    if sample is not None and sample < 1:
        raise ValueError(f"sample = {sample} < 1; give how many records to run again")
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"tolerance = {tolerance} is not a finite number >= 0")
    names = list(submission.records)
    if sample is not None and sample < len(names):
        drawn = np.random.default_rng(seed).choice(len(names), sample, replace=False)
        names = [names[number] for number in sorted(drawn.tolist())]
    found = []
    with tempfile.TemporaryDirectory(prefix="podlab-verify-") as folder:
        for name in names:
            verdict = _verdict(name, submission, Path(folder), tolerance, limits)
            on_verdict(verdict)
            found.append(verdict)
    return found


def _verdict(
    name: str, submission: Submission, folder: Path, tolerance: float, limits: Limits
) -> Verdict:
    record = submission.records[name]
    try:
        task = _task(record, submission, folder, limits)
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
    return _compared(name, record.get("scores", {}), again.get("scores", {}), tolerance)


def _compared(name: str, there: Any, here: dict[str, float], tolerance: float) -> Verdict:
    if not isinstance(there, dict) or set(there) != set(here):
        return Verdict(name, "differs", f"its scores are not {', '.join(here)}")
    if there == here:
        return Verdict(name, "exact")
    for key, value in here.items():
        if not _is_close(there[key], value, tolerance):
            text = f"{key} is {value!r} here, and {str(there[key])[:40]!r} there"
            return Verdict(name, "differs", text)
    return Verdict(name, "within tolerance")


def _is_close(said: Any, value: float, tolerance: float) -> bool:
    try:
        return math.isclose(float(said), value, rel_tol=tolerance, abs_tol=1e-12)
    except (TypeError, ValueError, OverflowError):
        return False


def _task(record: dict[str, Any], submission: Submission, folder: Path, limits: Limits) -> Task:
    """Return what runs a record again.

    Raises
    ------
    ValueError
        Saying why nothing here can.
    """
    kind = named(name_of(record))
    if "anytime" in record:
        raise ValueError("points of anytime curves are not run again")
    suite = _suite(record)
    name, seed = record.get(kind.display.field), record.get("seed")
    if not isinstance(name, str) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"{kind.display.noun} {name!r} with seed {seed!r} is none")
    candidates = _candidates(record, name, submission, folder, limits, suite)
    scenario, stage = record.get("scenario"), record.get("stage")
    for task in tasks(replace(suite, seeds=(seed,)), candidates):
        same = task.candidate.name == name and getattr(task.candidate, "stage", None) == stage
        if same and json.loads(json.dumps(kind.describe(task))) == scenario:
            return task
    raise ValueError(f"suite {suite.id} has no such scenario here, or not with {name!r}")


def _suite(record: dict[str, Any]) -> Suite:
    """Return the bundled suite of a record."""
    for suite in map(suite_file.load, suite_file.available()):
        if suite.id == record.get("suite"):
            if suite.kind != name_of(record):
                raise ValueError(f"suite {suite.id} is of kind {suite.kind} here")
            return suite
    raise ValueError(f"no bundled suite has the id {record.get('suite')!r}")


def _candidates(
    record: dict[str, Any],
    name: str,
    submission: Submission,
    folder: Path,
    limits: Limits,
    suite: Suite,
) -> list[Candidate]:
    """Return who a record is about; nobody where scenarios say who competes."""
    kind = named(suite.kind)
    if kind.candidate is None:
        return []
    digest = record.get(f"{kind.display.field}_file")
    if digest is None:
        if name not in kind.candidate.registry.available():
            raise ValueError(f"{kind.display.noun} {name!r} is not registered here")
        return entrants(suite, [name])
    if not isinstance(digest, str) or digest not in submission.solvers:
        raise ValueError(f"the file of {kind.display.noun} {name!r} is not in the submission")
    if kind.candidate.registry is not lb.SOLVERS:
        raise ValueError(f"a {kind.display.noun} from a file has no sandbox, and is not run again")
    return [_from_file(record, submission.solvers[digest], folder / digest, limits)]


def _from_file(
    record: dict[str, Any], file: tuple[str, bytes], folder: Path, limits: Limits
) -> Candidate:
    """Return the solver of a submitted file, in the sandbox."""
    name, raw = file
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(raw)
    entry = record.get("solver_entry") or ""
    if not isinstance(entry, str) or not (entry == "" or entry.isidentifier()):
        raise ValueError(f"solver_entry {entry!r} is no name")
    candidate = Candidate(f"{path}:{entry}" if entry else str(path), limits=limits)
    # outside of the sandbox experts have their own numbers, and ties go by them
    return candidate if record.get("sandboxed") else replace(candidate, permute=False)
