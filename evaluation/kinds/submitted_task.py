"""The task that makes a submitted record again; it comes from a bundled suite, not the record."""

import json
from dataclasses import replace
from pathlib import Path

import lb
from evaluation.candidates.candidate import Candidate
from evaluation.candidates.sandbox.limits import Limits
from evaluation.kinds import name_of, named, suite_file
from evaluation.kinds.suite import Suite
from evaluation.kinds.suite_candidates import suite_candidates
from evaluation.kinds.task import SuiteTask, tasks
from evaluation.records.identity import Record
from evaluation.records.submission.unpack import Submission


def submitted_task(
    record: Record, submission: Submission, folder: Path, limits: Limits
) -> SuiteTask:
    """Return the task that makes a submitted record again.

    Parameters
    ----------
    record, submission
        The record, and the submission that it is in.
    folder
        Where a solver's file is unpacked.
    limits
        Limits of a solver from a file.

    Raises
    ------
    ValueError
        If no task of this podlab makes the record, with the reason.
    """
    kind = named(name_of(record))
    if "anytime" in record:
        raise ValueError("points of anytime curves are not run again")
    suite = _suite(record)
    name, seed = record.get(kind.display.field), record.get("seed")
    if not isinstance(name, str) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"{kind.display.noun} {name!r} with seed {seed!r} is not a candidate")
    candidates = _candidates(record, name, submission, folder, limits, suite)
    scenario, stage = record.get("scenario"), record.get("stage")
    for task in tasks(replace(suite, seeds=(seed,)), candidates):
        same = task.candidate.name == name and getattr(task.candidate, "stage", None) == stage
        if same and json.loads(json.dumps(kind.describe(task))) == scenario:
            return task
    raise ValueError(f"suite {suite.id} has no such scenario here, or not with {name!r}")


def _suite(record: Record) -> Suite:
    """Return the bundled suite of a record."""
    for suite in map(suite_file.load, suite_file.available()):
        if suite.id == record.get("suite"):
            if suite.kind != name_of(record):
                raise ValueError(f"suite {suite.id} is of kind {suite.kind} here")
            return suite
    raise ValueError(f"no bundled suite has the id {record.get('suite')!r}")


def _candidates(
    record: Record,
    name: str,
    submission: Submission,
    folder: Path,
    limits: Limits,
    suite: Suite,
) -> list[Candidate]:
    """Return the candidate of a record; none where scenarios list their candidates."""
    kind = named(suite.kind)
    if kind.candidate is None:
        return []
    digest = record.get(f"{kind.display.field}_file")
    if digest is None:
        if name not in kind.candidate.registry.available():
            raise ValueError(f"{kind.display.noun} {name!r} is not registered here")
        return suite_candidates(suite, [name])
    if not isinstance(digest, str) or digest not in submission.solvers:
        raise ValueError(f"the file of {kind.display.noun} {name!r} is not in the submission")
    if kind.candidate.registry is not lb.SOLVERS:
        raise ValueError(f"a {kind.display.noun} from a file has no sandbox, and is not run again")
    return [_from_file(record, submission.solvers[digest], folder / digest, limits)]


def _from_file(record: Record, file: tuple[str, bytes], folder: Path, limits: Limits) -> Candidate:
    """Return the solver of a submitted file, in the sandbox."""
    name, raw = file
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(raw)
    entry = record.get("solver_entry") or ""
    if not isinstance(entry, str) or not (entry == "" or entry.isidentifier()):
        raise ValueError(f"solver_entry {entry!r} is not a name")
    candidate = Candidate(f"{path}:{entry}" if entry else str(path), limits=limits)
    # the sandbox renumbers the experts, which decides ties; outside of it they keep their numbers
    return candidate if record.get("sandboxed") else replace(candidate, permute=False)
