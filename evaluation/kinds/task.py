"""One task of a suite of any kind: a candidate on a scenario, and the record it makes."""

import time
import traceback
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evaluation.candidates.candidate import parameters
from evaluation.kinds import named
from evaluation.kinds.suite import Suite
from evaluation.kinds.task_spec import TaskSpec
from evaluation.records import record_file
from evaluation.records.identity import Record
from evaluation.replay.candidate_call import candidate_call, is_of_candidate


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

    @property
    def group(self) -> Hashable | None:
        """What tasks have in common that share their input; ``None``: nothing."""
        return named(self.kind).group(self)

    def path(self, folder: Path) -> Path:
        """Return the file of this task's record."""
        name = self.candidate.name.replace(":", "-")
        variant = named(self.kind).variant(self)
        stem = f"{self.scenario.id}--{name}--{variant}--seed{self.candidate.seed}"
        return record_file.path_of(folder, self.suite, stem, self.identity())

    def run(self) -> Record:
        """Return the record; an error of the candidate becomes its reason.

        Raises
        ------
        ValueError, OSError, ImportError
            If the traffic or the deployment cannot be judged.
        RuntimeError
            If podlab itself failed; with the traceback, which would not come through a process.
        """
        started = time.perf_counter()
        kind = named(self.kind)
        record, prepared = kind.begin(self)
        measured: dict[str, Any] = {}
        try:
            outcome = kind.judge(self, prepared, record)
        except (Exception, SystemExit) as error:
            if not is_of_candidate(error):
                raise self._own_error(error) from error
            record |= record_file.failure(error)
        else:
            measured = outcome.pop("wall", {})
            record |= {"status": "ok", **outcome}
        record["wall"] = {"total_s": time.perf_counter() - started, **measured}
        return record

    def _own_error(self, error: BaseException) -> Exception:
        """Return what to raise for an error that is not the candidate's."""
        where = f"{self.candidate.name} on {self.scenario.id}, seed {self.candidate.seed}"
        for expected in (ValueError, OSError, ImportError):
            if isinstance(error, expected):
                return expected(f"while podlab judged {where}: {error}")
        text = "".join(traceback.format_exception(error))
        return RuntimeError(f"podlab itself failed while it judged {where}\n{text}")

    def failed(self, reason: str) -> Record:
        """Return the record of a run whose process died."""
        return named(self.kind).begin(self)[0] | record_file.process_failure(reason)


@contextmanager
def open_candidate(task: TaskSpec, record: Record) -> Iterator[Any]:
    """Make the candidate and write its parameters into the record; end its process at the end."""
    with candidate_call():
        candidate = task.candidate.make()
    try:
        record["parameters"] = parameters(candidate)
        yield candidate
    finally:
        getattr(candidate, "close", lambda: None)()


def tasks(suite: Suite, candidates: Iterable[Any] = ()) -> list[SuiteTask]:
    """Return all tasks of a suite, scenario by scenario.

    Where tasks share traffic, the first repetition of all scenarios comes first, then the second,
    …: so those on one traffic are neighbours, and a table of all scenarios is early there.

    Parameters
    ----------
    suite
        A suite of any kind.
    candidates
        Candidates with different names; empty where the scenarios list theirs.

    Raises
    ------
    ValueError
        If two candidates have the same name: the leaderboard could not tell them apart.
    """
    candidates = list(candidates)
    specs: dict[str, str] = {}
    for candidate in candidates:
        if candidate.name in specs:
            raise ValueError(
                f"{specs[candidate.name]} and {candidate.spec} are both called "
                f"{candidate.name!r} in the leaderboard; rename one"
            )
        specs[candidate.name] = candidate.spec
    kind = named(suite.kind)
    made = [
        SuiteTask(suite.id, suite.kind, scenario, candidate)
        for scenario in suite.scenarios
        for candidate in kind.candidates(suite, scenario, candidates)
    ]
    return sorted(made, key=lambda task: 0 if task.group is None else task.candidate.seed)
