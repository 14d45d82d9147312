"""Where the requests and the routing of a scenario come from: names, a table, or a workload."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluation.replay.scenario_keys import name_or_names


def name_or_table(value: Any) -> str | None:
    """Return what is wrong with a routing, names or a table; None if nothing is."""
    if isinstance(value, dict):
        return None  # traces.workload reads it when it is needed, as reading takes a second
    wrong = name_or_names(value)
    return wrong and f"{wrong}, or a [routing] table"


def check_source(where: str, values: dict[str, Any]) -> None:
    """Check that requests and routing have one source each; fill in what a workload leaves open."""
    if "workload" not in values:
        if "trace" not in values:
            raise ValueError(f"{where} lacks 'trace' or 'workload'; give the requests")
        if isinstance(values.get("routing"), dict) and "routing_step_s" in values:
            raise ValueError(
                f"{where}: routing_step_s has no effect beside a [routing] table; give "
                "routing.law_step_s"
            )
        return
    for key in ("trace", "generate", "routing", "routing_step_s", "domains"):
        if key in values:
            raise ValueError(
                f"{where}: {key} has no effect beside workload, which has requests and routing; "
                "leave it out"
            )
    values["trace"] = ""
    beside = Path(where).parent / values["workload"]
    if beside.is_file():
        values["workload"] = str(beside)


def located(value: Any, folder: Path) -> Any:
    """Return a table in which the names of files that lie in a folder are their paths."""
    if isinstance(value, dict):
        return {key: located(each, folder) for key, each in value.items()}
    if isinstance(value, list):
        return [located(each, folder) for each in value]
    is_file = isinstance(value, str) and (folder / value).is_file()
    return str(folder / value) if is_file else value


def strings(value: Any) -> Iterator[str]:
    """Yield the strings of a table, which may be names of files."""
    if isinstance(value, Mapping):
        value = value.values()
    for each in value:
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping | list | tuple):
            yield from strings(each)
