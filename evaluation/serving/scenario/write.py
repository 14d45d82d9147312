"""A serving scenario written to a TOML file that reads as it was."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluation.serving.scenario.executor_table import ExecutorTable
from evaluation.serving.scenario.scenario import ServingScenario
from hardware import preset

#: Keys that a plan changes besides the executors, and the workload, whose file lies elsewhere.
CHANGED = ("requests", "rate_factor", "warm_up_s", "generate", "workload")


def planned(source: Path, scenario: ServingScenario, comment: str = "") -> str:
    """Return the text of ``source`` with the deployment and the requests of ``scenario``.

    Parameters
    ----------
    source
        The file that was planned. Keys that a plan does not change are copied, without comments.
    scenario
        Its executors, requests, rate and warm-up are written.
    comment
        Text of comment lines at the beginning.
    """
    content = preset.parse(source)
    content.pop("plan", None)
    for name in CHANGED:
        value = getattr(scenario, name)
        if value:
            content[name] = value
    if isinstance(scenario.routing, Mapping):
        content["routing"] = scenario.routing
    tables = {table["role"]: table for table in content["executor"]}
    content["executor"] = [
        tables[table.role] | _differing(dataclasses.asdict(table), tables[table.role])
        for table in scenario.executor
    ]
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    return head + "\n".join(_lines(content)) + "\n"


def _differing(values: dict[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that differ from a table, or from the default of a missing key."""
    defaults = {field.name: field.default for field in dataclasses.fields(ExecutorTable)}
    return {
        name: value for name, value in values.items() if table.get(name, defaults[name]) != value
    }


def _lines(content: Mapping[str, Any], inside: str = "") -> Iterator[str]:
    """Yield the lines of a table: its values, then tables, then lists of tables."""
    later = {}
    for key, value in content.items():
        if isinstance(value, Mapping) or _is_tables(value):
            later[key] = value
        else:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in later.items():
        name = f"{inside}{_key(key)}"
        if isinstance(value, Mapping):
            yield from ("", f"[{name}]", *_lines(value, f"{name}."))
            continue
        for table in value:
            yield from ("", f"[[{name}]]", *_lines(table, f"{name}."))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # a JSON string is a TOML basic string, but for DEL, which TOML wants escaped
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    return f"[{', '.join(map(_value, value))}]"
