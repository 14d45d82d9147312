"""Suites of all kinds: scenarios, seeds and a time budget, read from TOML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.kinds import DEFAULT, name_of, named
from evaluation.replay.scenario import Scenario
from hardware import preset

if TYPE_CHECKING:
    from evaluation.kinds.kind import Kind

FOLDER = Path(__file__).parent.parent / "suites"

#: What a suite of any kind may have beside its id and scenarios.
OPTIONAL = ("kind", "seeds", "budget_s")


@dataclass(frozen=True)
class Suite:
    """Scenarios under one id, whose version rises whenever a score could change.

    Parameters
    ----------
    id
        Name with a version.
    scenarios
        As its kind reads them.
    kind
        One of :data:`evaluation.kinds.KINDS`.
    seeds
        Of generated inputs and of candidates that draw random numbers.
    budget_s
        Seconds that the suite should take with all of its usual candidates, on two cores with a
        warm cache; exceeding it is reported and stops nothing.
    solvers
        Who runs unless others are asked for; empty: all registered ones.
    parameters
        Of candidates, by name.
    options
        Values of the other keys that its kind has.
    """

    id: str
    scenarios: tuple[Any, ...]
    kind: str = DEFAULT
    seeds: tuple[int, ...] = (0,)
    budget_s: float | None = None
    solvers: tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scenario_ids(self) -> list[str]:
        """Ids of the scenarios; dispatchers of one scenario share its id."""
        return list(dict.fromkeys(scenario.id for scenario in self.scenarios))


def available() -> list[str]:
    """Return the names of the bundled suites."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name_or_path: str | Path) -> Suite:
    """Read a bundled suite, or a user's own ``.toml`` file.

    Raises
    ------
    ValueError
        Naming file, scenario and key, if anything is unknown or missing.
    """
    path = preset.find_file("suite", FOLDER, name_or_path)
    return parse(path, preset.parse(path))


def parse(path: Path | str, content: dict[str, Any]) -> Suite:
    """Return the suite of a TOML file; errors as in :func:`load`."""
    try:
        kind = named(name_of(content))
        _check_keys(content, kind)
        seeds, budget_s = seeds_and_budget(content)
        own = {key: read(content[key]) for key, read in kind.keys.items() if key in content}
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    suite = Suite(
        str(content["id"]),
        _scenarios(path, content["scenario"], kind),
        kind.name,
        seeds,
        budget_s,
        own.pop("solvers", ()),
        own.pop("parameters", {}),
        own,
    )
    try:
        kind.check(suite)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return suite


def _check_keys(content: dict[str, Any], kind: "Kind") -> None:
    optional = (*OPTIONAL, *kind.keys)
    holds = f"has an id and [[scenario]] tables, and may have {', '.join(optional)}"
    for key in content:
        if key not in ("id", "scenario", *optional):
            raise ValueError(f"{key}: a suite of kind {kind.name} {holds}; leave {key} out")
    for key in ("id", "scenario"):
        if not content.get(key):
            raise ValueError(f"{key} is missing: a suite {holds}")
    if not isinstance(content["scenario"], list):
        raise ValueError(f"scenario = {content['scenario']!r}; give [[scenario]] tables")


def _scenarios(path: Path | str, tables: list[Any], kind: "Kind") -> tuple[Any, ...]:
    """Return the scenarios of all tables; one table may stand for several of one id."""
    scenarios: list[Any] = []
    ids: list[str] = []
    for table in tables:
        if not isinstance(table, dict):
            raise ValueError(f"{path}: scenario = {table!r}; give [[scenario]] tables")
        read = kind.scenarios(f"{path}: scenario {table.get('id', '?')!r}", table)
        ids += dict.fromkeys(one.id for one in read)
        scenarios += read
    if twice := names_twice(ids):
        raise ValueError(f"{path}: scenario ids {twice} occur twice; give each its own")
    return tuple(scenarios)


def seeds_and_budget(content: dict[str, Any]) -> tuple[tuple[int, ...], float | None]:
    """Return ``seeds`` and ``budget_s`` of a suite of any kind, (0,) and None where not given.

    Raises
    ------
    ValueError
        Naming the key, if one holds anything else than it may.
    """
    seeds, budget_s = content.get("seeds", [0]), content.get("budget_s")
    if not isinstance(seeds, list) or not seeds or any(map(preset.count, seeds)):
        raise ValueError(f"seeds = {seeds!r}; give a list of integers >= 0")
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds = {seeds} names one twice")
    if budget_s is not None and (wrong := preset.positive(budget_s)):
        raise ValueError(f"budget_s = {budget_s!r}; {wrong}")
    return tuple(seeds), budget_s


def names_twice(names: list[str]) -> list[str]:
    """Return the names that a list holds more than once."""
    return sorted({name for name in names if names.count(name) > 1})


def first_of(suite: Suite, scenario: str | None) -> Scenario:
    """Return the scenario of that id, or the first.

    Raises
    ------
    ValueError
        If the suite has none of that id, its ids being named, or replays no routing traces.
    """
    scenarios = [one for one in suite.scenarios if isinstance(one, Scenario)]
    if not scenarios:
        raise ValueError(f"{suite.id} replays no routing traces; give another suite")
    for one in scenarios:
        if scenario in (None, one.id):
            return one
    ids = ", ".join(one.id for one in scenarios)
    raise ValueError(f"{suite.id} has no scenario {scenario!r}; it has {ids}")
