"""Suites: named lists of scenarios, each a trace and a deployment, in TOML."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lb
from evaluation.kinds.competition.scenario import CompetitionScenario
from evaluation.kinds.competition.scenario import scenario as competition_scenario
from evaluation.kinds.fit_scenario import FitScenario
from evaluation.kinds.fit_scenario import scenarios as fit_scenarios
from evaluation.replay.scenario import CHECKS, Scenario, name_or_names
from hardware import preset

if TYPE_CHECKING:
    from evaluation.kinds.scheduler_suite import ServingSuite

FOLDER = Path(__file__).parent.parent / "suites"
KINDS = ("solver", "fit", "forecast", "competition")
#: Kinds that :mod:`evaluation.kinds.scheduler_suite` reads.
SERVING = ("serving", "faults")

#: What a suite may have beside its id and scenarios.
OPTIONAL = ("kind", "solvers", "parameters", "seeds", "budget_s", "anytime")


@dataclass(frozen=True)
class Suite:
    """Scenarios under one id, whose version rises whenever a score could change.

    Its kind says what is compared on them: "solver" (replayed), "fit" (a solver on a matrix),
    "forecast" or "competition" (docs/competition.md). It may name the solvers that run
    unless others are asked for, and parameters of solvers; the seeds of generated traces and of
    whatever draws lots; and the seconds that it should take, all of its usual solvers on two cores
    with a warm cache. A budget is reported when it is exceeded, and not enforced. ``anytime`` has
    solver, parameter and the values for its anytime curve, on the scenarios of a suite of kind
    "fit" that ask for it.
    """

    id: str
    scenarios: tuple[Any, ...]
    kind: str = "solver"
    solvers: tuple[str, ...] = ()
    parameters: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    budget_s: float | None = None
    anytime: dict[str, dict[str, list[Any]]] = dataclasses.field(default_factory=dict)

    @property
    def scenario_ids(self) -> list[str]:
        """Ids of the scenarios; dispatchers of one scenario share its id."""
        return list(dict.fromkeys(scenario.id for scenario in self.scenarios))


def available() -> list[str]:
    """Return the names of the bundled suites."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def is_serving(name_or_path: str | Path) -> bool:
    """Say whether a suite is played by the serving simulation; errors as in :func:`load`."""
    path = preset.find_file("suite", FOLDER, name_or_path)
    return preset.parse(path).get("kind") in SERVING


def load_serving(name_or_path: str | Path) -> "ServingSuite":
    """Read a suite that ranks schedulers or recoveries; errors as in :func:`load`."""
    from evaluation.kinds.scheduler_suite import parse

    path = preset.find_file("suite", FOLDER, name_or_path)
    return parse(path, preset.parse(path))


def load(name_or_path: str | Path) -> Suite:
    """Read a bundled suite, or a user's own ``.toml`` file.

    Raises
    ------
    ValueError
        Naming file, scenario and key, if anything is unknown or missing.
    """
    path = preset.find_file("suite", FOLDER, name_or_path)
    content = preset.parse(path)
    if set(content) - set(OPTIONAL) != {"id", "scenario"} or not content["scenario"]:
        raise ValueError(
            f"{path}: a suite has an id and [[scenario]] tables, and may have "
            f"{', '.join(OPTIONAL)}; got {list(content)}"
        )
    if not isinstance(content["scenario"], list):
        raise ValueError(f"{path}: scenario = {content['scenario']!r}; give [[scenario]] tables")
    kind = content.get("kind", "solver")
    if kind in SERVING:
        raise ValueError(f"{path}: a {kind} suite ranks schedulers; only podlab bench takes it")
    if kind not in KINDS:
        raise ValueError(f"{path}: kind = {kind!r} is not one of {', '.join(KINDS)}")
    try:
        solvers, parameters = _solvers(content, kind)
        seeds, budget_s = seeds_and_budget(content)
        anytime = _anytime(content, kind)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    tables = [_read(kind, path, table) for table in content["scenario"]]
    ids = [name for alike in tables for name in dict.fromkeys(one.id for one in alike)]
    if twice := _twice(ids):
        raise ValueError(f"{path}: scenario ids {twice} occur twice; give each its own")
    scenarios = tuple(scenario for alike in tables for scenario in alike)
    return Suite(str(content["id"]), scenarios, kind, solvers, parameters, seeds, budget_s, anytime)


def _anytime(content: dict[str, Any], kind: str) -> dict[str, dict[str, list[Any]]]:
    """Return solver to parameter to values, if all of them are known."""
    found = content.get("anytime", {})
    if found and kind != "fit":
        raise ValueError("anytime: curves are drawn in suites of kind 'fit'; leave it out")
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise ValueError(f"anytime = {found!r}; give tables [anytime.SOLVER]")
    for name, parameters in found.items():
        for key, values in parameters.items():
            if not isinstance(values, list) or not values:
                raise ValueError(f"anytime.{name}.{key} = {values!r}; give a list of values")
            for value in values:
                lb.make(name, **{key: value})
    return found


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


def _solvers(
    content: dict[str, Any], kind: str
) -> tuple[tuple[str, ...], dict[str, dict[str, Any]]]:
    """Return who runs in a suite, and parameters of solvers, if all of them are known."""
    solvers, parameters = content.get("solvers", []), content.get("parameters", {})
    for key in ("solvers", "parameters"):
        if kind == "forecast" and key in content:
            raise ValueError(f"{key}: this suite compares forecasters; leave {key} out")
    if "solvers" in content and (not isinstance(solvers, list) or name_or_names(solvers)):
        raise ValueError(f"solvers = {solvers!r}; give a list of names")
    if twice := _twice(solvers):
        raise ValueError(f"solvers: {twice} occur twice; name each once")
    for name in solvers:
        lb.make(name)
    if not isinstance(parameters, dict):
        raise ValueError(f"parameters = {parameters!r}; give tables [parameters.SOLVER]")
    for name, given in parameters.items():
        if not isinstance(given, dict):
            raise ValueError(f"parameters.{name} = {given!r}; give a table [parameters.{name}]")
        lb.make(name, **given)
    return tuple(solvers), parameters


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def first_of(suite: Suite, scenario: str | None) -> Scenario:
    """Return the scenario of that id, or the first.

    Raises
    ------
    ValueError
        If the suite has none of that id, its ids being named, or has no traces.
    """
    if suite.kind == "fit":
        raise ValueError(f"{suite.id} has matrices and no traces; give another suite")
    found: list[Scenario] = [one for one in suite.scenarios if scenario in (None, one.id)]
    if not found:
        ids = ", ".join(one.id for one in suite.scenarios)
        raise ValueError(f"{suite.id} has no scenario {scenario!r}; it has {ids}")
    return found[0]


def _read(kind: str, path: Path, table: Any) -> list[Any]:
    """Return the scenarios of a table of a suite of that kind."""
    if kind == "fit":
        return list(_fit_scenarios(path, table))
    if kind == "competition":
        return list(_competition_scenarios(path, table))
    return list(_scenarios(path, table))


def _competition_scenarios(path: Path, table: Any) -> list[CompetitionScenario]:
    if not isinstance(table, dict):
        raise ValueError(f"{path}: scenario = {table!r}; give [[scenario]] tables")
    return [competition_scenario(f"{path}: scenario {table.get('id', '?')!r}", table)]


def _fit_scenarios(path: Path, table: Any) -> list[FitScenario]:
    if not isinstance(table, dict):
        raise ValueError(f"{path}: scenario = {table!r}; give [[scenario]] tables")
    return fit_scenarios(f"{path}: scenario {table.get('id', '?')!r}", table)


def _scenarios(path: Path, table: Any) -> list[Scenario]:
    """Return the scenario of a table, once for each of its dispatchers."""
    if not isinstance(table, dict):
        raise ValueError(f"{path}: scenario = {table!r}; give [[scenario]] tables")
    where = f"{path}: scenario {table.get('id', '?')!r}"
    optional = frozenset(
        field.name
        for field in dataclasses.fields(Scenario)
        if field.default is not dataclasses.MISSING
    )
    values = preset.checked(where, table, CHECKS, optional)
    names, dispatchers = (
        [value] if isinstance(value, str) else value
        for value in (values["trace"], values.get("dispatcher", "even"))
    )
    if "split" in values:
        values["split"] = tuple(map(float, values["split"]))
    if len(set(dispatchers)) < len(dispatchers):
        raise ValueError(f"{where}: dispatcher = {dispatchers} names one twice")
    return [
        Scenario(**{**values, "trace": tuple(names), "dispatcher": dispatcher})
        for dispatcher in dispatchers
    ]
