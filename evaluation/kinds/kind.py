"""A kind of suite: one object that commands, reports and docs read everything from."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from evaluation.candidates.candidate import Candidate
from evaluation.kinds.seeds import one_for_each_seed
from evaluation.kinds.suite import Suite
from evaluation.kinds.suite_ranking import SuiteRanking
from evaluation.kinds.task_spec import TaskSpec
from evaluation.leaderboard import rank, rank_stages
from evaluation.leaderboard.column import Column
from evaluation.leaderboard.measure import Measure, RatioToReference
from evaluation.leaderboard.table import Leaderboard
from evaluation.records import record_file
from evaluation.records.identity import Record
from lb.registry import Registry


@dataclass(frozen=True)
class Display:
    """How records of a kind are shown.

    Parameters
    ----------
    noun
        What a candidate is, "solver" say.
    field
        Key of a record that names its candidate.
    variant
        What else varies among rows: "dispatcher", "stage", or "".
    columns
        Columns of the leaderboard; the first one ranks.
    windows
        Key of the list among a record's "windows" that is drawn over time; empty: none.
    layers, layers_bound
        Keys of the lists among a record's "layers" that are drawn layer by layer, and of their
        upper bound; empty: none.
    registry
        From a variant to the registry of its candidates; None where it has none.
    """

    noun: str
    field: str
    variant: str
    columns: tuple[Column, ...]
    windows: str = ""
    layers: str = ""
    layers_bound: str = ""
    registry: Callable[[str], Registry | None] = lambda variant: None

    @property
    def primary(self) -> Column:
        """The column that ranks."""
        return self.columns[0]


class Kind:
    """A kind of suite: how scenarios are read, and how candidates are judged, ranked and shown.

    A kind is an instance of a subclass, in a module of its own, and a line in
    :data:`evaluation.kinds.KINDS`. It must define the class variables without a value, and
    :meth:`scenarios`, :meth:`begin` and :meth:`judge`. The other methods suit suites of solvers.
    """

    #: Its key in :data:`evaluation.kinds.KINDS`.
    name: ClassVar[str]
    #: What suites of this kind compare; one line.
    title: ClassVar[str]
    display: ClassVar[Display]
    #: The score that ranks.
    measure: ClassVar[Measure]
    #: Class of the candidates, and option of ``podlab bench`` that names them; None and ""
    #: where the scenarios list their candidates.
    candidate: ClassVar[type[Candidate] | None] = Candidate
    option: ClassVar[str] = "solver"
    #: Keys of a suite's TOML that only some kinds have, each with what reads its value.
    keys: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}

    def scenarios(self, where: str, table: dict[str, Any]) -> list[Any]:
        """Return the scenarios of a [[scenario]] table.

        Each has ``id``, ``dispatcher`` (if that is the variant), ``is_drawn`` (whether every seed
        gives another input) and ``check()``, which raises ValueError if it cannot be run.

        Raises
        ------
        ValueError
            Naming ``where``, if a key is unknown or missing, or its value is not allowed.
        """
        raise NotImplementedError

    def check(self, suite: Suite) -> None:
        """Raise ValueError if keys of a suite contradict each other."""

    def reseeded(self, suite: Suite, seed: int) -> tuple[int, ...]:
        """Return the seeds of a suite if the user asks for ``seed``."""
        return (seed,)

    def is_repeatable(self, scenario: Any) -> bool:
        """Return whether every new seed gives a scenario new traffic, without end."""
        return bool(scenario.is_drawn)

    def candidates(self, suite: Suite, scenario: Any, candidates: Sequence[Any]) -> list[Any]:
        """Return the candidates that run on a scenario, once for each seed.

        A candidate has ``name``, ``seed`` and ``identity()``, and can be pickled.
        """
        return one_for_each_seed(scenario, candidates, suite.seeds)

    def variant(self, task: TaskSpec) -> str:
        """Return the dispatcher or stage of a task."""
        return str(task.scenario.dispatcher)

    def describe(self, task: TaskSpec) -> dict[str, Any]:
        """Return the scenario as the record holds it."""
        return asdict(task.scenario)

    def inputs(self, task: TaskSpec) -> dict[str, Any]:
        """Return hashes of files that scores depend on, besides code, scenario and candidate."""
        return {}

    def group(self, task: TaskSpec) -> Hashable | None:
        """Return what tasks with the same costly input have in common; ``None``: nothing.

        Such tasks run in one process where possible, which keeps the input.
        """
        return None

    def new_record(self, task: TaskSpec, **fields: Any) -> Record:
        """Return a record of a candidate on a scenario, before it has run.

        Parameters
        ----------
        task
            The candidate and the scenario; the family of scenarios is its id by default.
        fields
            What the kind adds, such as hashes of the traffic.
        """
        scenario, candidate = task.scenario, task.candidate
        return record_file.new_record(
            kind=self.name,
            suite=task.suite,
            family=scenario.family or scenario.id,
            scenario=self.describe(task),
            solver=candidate.name,
            solver_file=candidate.file_hash,
            solver_entry=candidate.entry or None,
            sandboxed=candidate.sandboxed,
            dispatcher=scenario.dispatcher,
            seed=candidate.seed,
            **fields,
        )

    def begin(self, task: TaskSpec) -> tuple[Record, Any]:
        """Return the record before its candidate runs, and what :meth:`judge` needs."""
        raise NotImplementedError

    def judge(self, task: TaskSpec, prepared: Any, record: Record) -> dict[str, Any]:
        """Run the candidate and return what the record gets: "scores", "windows", … and "wall".

        Write into ``record`` what is known before the candidate has finished: it stays there if
        the candidate fails. An error of the candidate, raised inside
        :func:`evaluation.replay.candidate_call.candidate_call`, becomes the record's reason. Any
        other error ends the run.
        """
        raise NotImplementedError

    def wanted(self, suite: Suite) -> set[tuple[str, str]]:
        """Return (scenario, dispatcher) in which candidates must have run to be ranked."""
        with_dispatcher = self.display.variant == "dispatcher"
        return {
            (scenario.id, scenario.dispatcher if with_dispatcher else "")
            for scenario in suite.scenarios
        }

    def ranking(
        self, records: Sequence[Record], wanted: Collection[tuple[str, str]] | None = None
    ) -> SuiteRanking:
        """Return the ranking of records of one suite; ``wanted`` as :meth:`wanted` returns it."""
        staged = isinstance(self.measure, RatioToReference)
        if staged:
            rankings = rank_stages(records, self.measure)
        else:
            rankings = {"": rank(records, self.measure, wanted)}
        suite = next((ranking.suite for ranking in rankings.values()), "")
        return SuiteRanking(suite, self.name, self.measure.name, rankings, staged)

    def leaderboard(self, ranking: SuiteRanking) -> Leaderboard:
        """Return a ranking as a table."""
        return Leaderboard(
            self.display.noun,
            self.display.variant,
            self.display.columns,
            tuple(ranking.lines()),
            tuple(ranking.notes()),
        )
