"""What a kind of suite is: one object that commands, reports and docs ask everything."""

from collections.abc import Callable, Collection, Mapping, Sequence
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
from lb.registry import Registry

Record = dict[str, Any]


@dataclass(frozen=True)
class Display:
    """How records of a kind are shown.

    Parameters
    ----------
    noun
        Who competes, in the singular.
    field
        Key of a record that names them.
    variant
        What is compared beside them: "dispatcher", "stage", or nothing.
    columns
        Of the leaderboard; the first one ranks.
    windows
        Key of the list among a record's "windows" that is drawn over time; empty: none.
    layers, layers_bound
        Keys of the lists among a record's "layers" that are drawn layer by layer, and of their
        upper bound; empty: none.
    registry
        From a variant to where candidates are registered; None where they are not.
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
    """A kind of suite: how scenarios are read, who competes, how they are judged and shown.

    A kind is an instance of a subclass, in a module of its own, and a line in
    :data:`evaluation.kinds.KINDS`. It must define the class variables without a value, and
    :meth:`scenarios`, :meth:`begin` and :meth:`judge`; what else it inherits fits solvers.
    """

    #: As in :data:`evaluation.kinds.KINDS`.
    name: ClassVar[str]
    #: What suites of this kind compare; one line.
    title: ClassVar[str]
    display: ClassVar[Display]
    #: The score that ranks.
    measure: ClassVar[Measure]
    #: Class of those who compete and option of ``podlab bench`` that names them; None and ""
    #: where scenarios say who competes.
    candidate: ClassVar[type[Candidate] | None] = Candidate
    option: ClassVar[str] = "solver"
    #: Keys of a suite's TOML that only some kinds have, each with what reads its value.
    keys: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}

    def scenarios(self, where: str, table: dict[str, Any]) -> list[Any]:
        """Return the scenarios of a [[scenario]] table.

        Each has ``id``, ``dispatcher`` (if that is the variant), ``is_drawn``, which says whether
        every seed is another input, and ``check()``, which raises ValueError if it cannot be run.

        Raises
        ------
        ValueError
            Naming ``where``, if a key is unknown, missing, or holds what it may not.
        """
        raise NotImplementedError

    def check(self, suite: Suite) -> None:
        """Raise ValueError if keys of a suite contradict each other."""

    def reseeded(self, suite: Suite, seed: int) -> tuple[int, ...]:
        """Return the seeds of a suite if the user asks for ``seed``."""
        return (seed,)

    def candidates(self, suite: Suite, scenario: Any, chosen: Sequence[Any]) -> list[Any]:
        """Return who runs on a scenario, once for each seed.

        A candidate has ``name``, ``seed`` and ``identity()``, and can be pickled.
        """
        return one_for_each_seed(scenario, chosen, suite.seeds)

    def variant(self, task: TaskSpec) -> str:
        """Return the dispatcher or stage of a task."""
        return str(task.scenario.dispatcher)

    def describe(self, task: TaskSpec) -> dict[str, Any]:
        """Return the scenario as the record holds it."""
        return asdict(task.scenario)

    def inputs(self, task: TaskSpec) -> dict[str, Any]:
        """Return what scores depend on beside code, scenario and candidate: hashes of files."""
        return {}

    def begin(self, task: TaskSpec) -> tuple[Record, Any]:
        """Return the record before its candidate runs, and what :meth:`judge` needs."""
        raise NotImplementedError

    def judge(self, task: TaskSpec, prepared: Any, record: Record) -> dict[str, Any]:
        """Run the candidate and return what the record gets: "scores", "windows", … and "wall".

        What is known before the candidate has finished is written into ``record``, so that it
        stays there if the candidate fails. Whatever it raises becomes the record's reason.
        """
        raise NotImplementedError

    def wanted(self, suite: Suite) -> set[tuple[str, str]]:
        """Return (scenario, dispatcher) in which candidates must have run to be ranked."""
        split = self.display.variant == "dispatcher"
        return {(one.id, one.dispatcher if split else "") for one in suite.scenarios}

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
        """Return a ranking as the table shows it."""
        return Leaderboard(
            self.display.noun,
            self.display.variant,
            self.display.columns,
            tuple(ranking.lines()),
            tuple(ranking.notes()),
        )
