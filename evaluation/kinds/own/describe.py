"""How each recording is used, in words."""

from collections import defaultdict

from evaluation.kinds.own.recording import OwnRecording
from evaluation.kinds.own.span import total_variation
from evaluation.kinds.own.suite import OwnSuite
from evaluation.kinds.own.traffic import Traffic

USES = {
    "steps": "steps of an engine, replayed as they are",
    "tokens": "requests walk its recorded sequences",
    "totals": "the tokens of each step are drawn from its shares",
    "workload": "a workload of its own",
}


def descriptions(own: OwnSuite) -> list[str]:
    """Return a line on each recording, on what to know about it, and on each change."""
    lines = [f"{one.name}: {_use(one, own.traffic[n])}" for n, one in enumerate(own.replayed)]
    names = [one.name for one in own.replayed]
    others = [one.name for one in own.recordings if one.name not in names]
    if others:
        lines.append(f"not replayed, as those above span them (--all-conditions): {_list(others)}")
    said: dict[str, list[str]] = defaultdict(list)
    for one in own.replayed:
        for note in one.notes:
            said[note].append(one.name)
    for note, of in said.items():
        lines.append(f"{'all' if of == names and len(of) > 1 else _list(of)}: {note}")
    for before, after in own.changes:
        if before.load is not None:
            part = total_variation(before, after)
            lines.append(f"{before.name} to {after.name}: {part:.3f} of the load changes experts")
    return lines


def _use(one: OwnRecording, traffic: Traffic | None) -> str:
    if traffic is None:
        return f"{one.phase}, {USES[one.kind]}"
    if one.kind == "steps":
        return f"{one.phase}, {one.steps:,} {USES[one.kind]}"
    seconds = "recorded" if one.step_s else "podlab's price"
    return (
        f"{one.phase}, {USES[one.kind]}: {traffic.tokens_per_rank:,} a rank, prompts of "
        f"{traffic.prompt_tokens:,} and outputs of {traffic.output_tokens:,}, a step in "
        f"{1e3 * traffic.step_s:,.1f} ms ({seconds})"
    )


def _list(names: list[str]) -> str:
    return ", ".join(names)
