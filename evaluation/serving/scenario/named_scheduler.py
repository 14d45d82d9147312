"""Schedulers that a scenario gives by name, or by a table of a name and parameters."""

from typing import Any

from hardware import preset
from lb.registry import Registry


def check(value: Any) -> str | None:
    """Complain unless ``value`` is a name, or a table of a name and parameters."""
    name = value.get("name") if isinstance(value, dict) else value
    return preset.text(name) and 'give a name, or { name = "…", parameter = … }'


def name_of(scheduler: Any) -> str:
    """Return the name."""
    return scheduler if isinstance(scheduler, str) else str(scheduler["name"])


def make(registry: Registry, scheduler: Any) -> Any:
    """Return the scheduler of a name, or of a table of a name and parameters."""
    params = {} if isinstance(scheduler, str) else dict(scheduler)
    params.pop("name", None)
    return registry.make(name_of(scheduler), **params)
