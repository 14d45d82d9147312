"""The keys of a scenario in TOML, and the check of each value."""

from typing import Any

from hardware import preset


def name_or_names(value: Any) -> str | None:
    """Return what is wrong with a name or a list of names; None if nothing is wrong."""
    names = [value] if isinstance(value, str) else value
    is_valid = isinstance(names, list) and names and all(isinstance(name, str) for name in names)
    return None if is_valid else "give a name, or a list of names"


def three_parts(value: Any) -> str | None:
    """Return what is wrong with parts for training, validation and test; None if nothing is."""
    is_list = isinstance(value, list) and len(value) == 3 and all(map(_is_number, value))
    if (
        not is_list
        or min(value) < 0
        or value[0] <= 0
        or value[2] <= 0
        or abs(sum(value) - 1) > 1e-9
    ):
        return "give [train, validation, test], parts that add up to 1, the first and last positive"
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


#: Check of each key.
CHECKS: dict[str, preset.Check] = {
    "id": preset.text,
    "family": preset.text,
    "trace": name_or_names,
    "workload": name_or_names,
    "window_s": preset.positive,
    "sampled_steps": preset.count_from_one,
    "windows": preset.count_from_one,
    "change_window": preset.count_from_one,
    "model": preset.text,
    "num_ranks": preset.count_from_one,
    "slots_per_rank": preset.count_from_one,
    "window_steps": preset.count_from_one,
    "device": preset.text,
    "fabric": preset.text,
    "library": preset.text,
    "consecutive_tokens": preset.count_from_one,
    "history_windows": preset.count_from_one,
    "phase": preset.text,
    "kv_tokens": preset.not_negative,
    "drafts": preset.count,
    "jitter_sigma": preset.not_negative,
    "stall_probability": preset.not_negative,
    "dispatcher": name_or_names,
    "forecaster": preset.text,
    "objective": preset.text,
    "steps": preset.count_from_one,
    "layers": preset.count_from_one,
    "max_moves": preset.count,
    "migration_bytes_per_s": preset.positive,
    "migration_pause_s": preset.not_negative,
    "split": three_parts,
}

#: Keys that suites once had, and what replaced them.
REPLACED = {
    "hold_steps": "a step of a trace is one step of the engine; compose engine steps with a "
    "workload, or give counts of engine steps (docs/workloads.md)",
    "step_tokens": "steps of consecutive recorded tokens are pieces of a few prompts, and their "
    "windows differ far more than those of an engine; compose engine steps from the recording with "
    "a workload (docs/workloads.md; podlab bench --trace FILE writes one), or say "
    "consecutive_tokens if this is what you want",
}
