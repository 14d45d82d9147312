"""One task of a suite of any kind: a candidate on a scenario, and the record it makes."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evaluation.candidates.candidate import parameters
from evaluation.kinds import named
from evaluation.kinds.suite import Suite
from evaluation.kinds.task_spec import TaskSpec
from evaluation.records import record_file

Record = dict[str, Any]


class SuiteTask(TaskSpec):
    """A candidate on a scenario that can be run, here or in another process."""

    def identity(self) -> dict[str, Any]:
        """Return everything that the scores depend on, by name or by a hash of its contents."""
        kind = named(self.kind)
        return {
            "suite": self.suite,
            "kind": self.kind,
            "scenario": kind.describe(self),
            **self.candidate.identity(),
            **kind.inputs(self),
            # covers the bundled presets as well; kind.inputs hashes a user's own
            "source_hash": record_file.provenance()["source_hash"],
        }

    def path(self, folder: Path) -> Path:
        """Return the file of this task's record."""
        name = self.candidate.name.replace(":", "-")
        variant = named(self.kind).variant(self)
        stem = f"{self.scenario.id}--{name}--{variant}--seed{self.candidate.seed}"
        return record_file.path_of(folder, self.suite, stem, self.identity())

    def run(self) -> Record:
        """Return the record; whatever the candidate raises becomes its reason."""
        started = time.perf_counter()
        kind = named(self.kind)
        record, prepared = kind.begin(self)
        measured: dict[str, Any] = {}
        try:
            outcome = kind.judge(self, prepared, record)
        except (Exception, SystemExit) as error:
            record |= record_file.failure(error)
        else:
            measured = outcome.pop("wall", {})
            record |= {"status": "ok", **outcome}
        record["wall"] = {"total_s": time.perf_counter() - started, **measured}
        return record

    def failed(self, reason: str) -> Record:
        """Return the record of a run whose process ended before it did."""
        return named(self.kind).begin(self)[0] | record_file.process_failure(reason)


@contextmanager
def running(task: TaskSpec, record: Record) -> Iterator[Any]:
    """Make the candidate, write its parameters into the record, and end its process at the end."""
    candidate = task.candidate.make()
    try:
        record["parameters"] = parameters(candidate)
        yield candidate
    finally:
        getattr(candidate, "close", lambda: None)()


def tasks(suite: Suite, candidates: Iterable[Any] = ()) -> list[SuiteTask]:
    """Return all tasks of a suite, scenario by scenario.

    Parameters
    ----------
    suite
        Of any kind.
    candidates
        Who competes; nobody where scenarios say who does.

    Raises
    ------
    ValueError
        If two candidates have one name, under which the leaderboard could not tell them apart.
    """
    chosen = list(candidates)
    specs: dict[str, str] = {}
    for candidate in chosen:
        if candidate.name in specs:
            raise ValueError(
                f"{specs[candidate.name]} and {candidate.spec} are both called "
                f"{candidate.name!r} in the leaderboard; rename one"
            )
        specs[candidate.name] = candidate.spec
    kind = named(suite.kind)
    return [
        SuiteTask(suite.id, suite.kind, scenario, candidate)
        for scenario in suite.scenarios
        for candidate in kind.candidates(suite, scenario, chosen)
    ]
