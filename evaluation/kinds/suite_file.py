"""Suites in files: the bundled ones, and a user's own ``.toml``."""

from pathlib import Path
from typing import Any

from evaluation.kinds import name_of, named
from evaluation.kinds.kind import Kind
from evaluation.kinds.suite import Suite
from evaluation.kinds.suite_keys import repeated_names
from evaluation.replay.scenario import Scenario
from hardware import preset

FOLDER = Path(__file__).parent.parent / "suites"

#: Keys that a suite of any kind may have, besides its id and scenarios.
OPTIONAL = ("kind", "seeds", "budget_s")


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


def _check_keys(content: dict[str, Any], kind: Kind) -> None:
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


def _scenarios(path: Path | str, tables: list[Any], kind: Kind) -> tuple[Any, ...]:
    """Return the scenarios of all tables; one table may stand for several of one id."""
    scenarios: list[Any] = []
    ids: list[str] = []
    for table in tables:
        if not isinstance(table, dict):
            raise ValueError(f"{path}: scenario = {table!r}; give [[scenario]] tables")
        read = kind.scenarios(f"{path}: scenario {table.get('id', '?')!r}", table)
        ids += dict.fromkeys(scenario.id for scenario in read)
        scenarios += read
    if twice := repeated_names(ids):
        raise ValueError(f"{path}: scenario ids {twice} occur twice; give each its own")
    return tuple(scenarios)


def seeds_and_budget(content: dict[str, Any]) -> tuple[tuple[int, ...], float | None]:
    """Return ``seeds`` and ``budget_s`` of a suite of any kind, (0,) and None where not given.

    Raises
    ------
    ValueError
        Naming the key, if its value is not allowed.
    """
    seeds, budget_s = content.get("seeds", [0]), content.get("budget_s")
    if not isinstance(seeds, list) or not seeds or any(map(preset.count, seeds)):
        raise ValueError(f"seeds = {seeds!r}; give a list of integers >= 0")
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds = {seeds} names one twice")
    if budget_s is not None and (wrong := preset.positive(budget_s)):
        raise ValueError(f"budget_s = {budget_s!r}; {wrong}")
    return tuple(seeds), budget_s


def first_of(suite: Suite, scenario: str | None) -> Scenario:
    """Return the scenario of that id, or the first, whether of a trace or of a workload.

    Raises
    ------
    ValueError
        If the suite has no such scenario, or has no traces and no workloads.
    """
    scenarios = [each for each in suite.scenarios if isinstance(each, Scenario)]
    if not scenarios:
        raise ValueError(
            f"{suite.id} replays neither traces nor workloads; give another suite, such as default"
        )
    for each in scenarios:
        if scenario in (None, each.id):
            return each
    ids = ", ".join(each.id for each in scenarios)
    raise ValueError(f"{suite.id} has no scenario {scenario!r}; it has {ids}")
