"""Names and phases of the conditions of a trace whose steps are one a condition."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traces.routing import RoutingTrace
    from traces.store import StoredTrace
    from traces.tokens import TokenTrace

#: Keys of the provenance that say what the steps are and of which phases, and how the text of the
#: first begins, as in the bundled ``olmoe-domains``.
STEPS, PHASES, ONE_EACH = "steps", "phases", ("one a condition: ", "one a domain: ")
BETWEEN = ", "
_PHASE = re.compile(r"(?:^|[^a-z])(prefill|decode)(?:[^a-z]|$)", re.IGNORECASE)


def has_conditions(trace: "RoutingTrace | StoredTrace | TokenTrace") -> bool:
    """Return whether each step of a trace is a condition of its own."""
    return (trace.provenance or {}).get(STEPS, "").startswith(ONE_EACH)


def condition_names(trace: "RoutingTrace | StoredTrace") -> tuple[str, ...]:
    """Return the names of the conditions, or domains, that the steps of a trace are.

    Raises
    ------
    ValueError
        If the trace does not say that each step is one.

    Examples
    --------
    >>> import traces
    >>> traces.condition_names(traces.load("olmoe-domains"))
    ('arxiv', 'book', 'c4', 'github', 'wikipedia', 'tulu')
    """
    text = (trace.provenance or {}).get(STEPS, "")
    begin = next((begin for begin in ONE_EACH if text.startswith(begin)), None)
    if begin is None:
        raise ValueError(
            f"the steps of {trace!r} have no names; make the trace with read_conditions()"
        )
    names = tuple(text.removeprefix(begin).split(BETWEEN))
    if len(names) != trace.num_steps:
        raise ValueError(
            f"{len(names)} names are there for {trace.num_steps} steps; take the names before a "
            "part of the trace is cut out"
        )
    return names


def condition_phases(trace: "RoutingTrace | StoredTrace") -> tuple[str, ...]:
    """Return the phase of each condition: "prefill", "decode", "mixed" or "unknown".

    It is what the recording says of itself. Where it says "unknown", a name with the word prefill
    or decode in it says it, such as ``decode_in1000out1000``.

    Raises
    ------
    ValueError
        As :func:`condition_names`.

    Examples
    --------
    >>> import traces
    >>> set(traces.condition_phases(traces.load("olmoe-domains")))
    {'prefill'}
    """
    names = condition_names(trace)
    said = (trace.provenance or {}).get(PHASES, "").split(BETWEEN)
    if len(said) != len(names):
        said = [trace.phase] * len(names)
    return tuple(phase_of(name, phase) for name, phase in zip(names, said, strict=True))


def phase_of(name: str, phase: str) -> str:
    """Return the phase, or that in the name if it is unknown.

    Examples
    --------
    >>> phase_of("decode_in1000out1000", "unknown"), phase_of("decoder", "unknown")
    ('decode', 'unknown')
    """
    found = {word.lower() for word in _PHASE.findall(name)}
    return found.pop() if phase == "unknown" and len(found) == 1 else phase


def provenance_of(names: Sequence[str], phases: Sequence[str]) -> dict[str, str]:
    """Return the part of a provenance from which the functions above read."""
    differ = {PHASES: BETWEEN.join(phases)} if len(set(phases)) > 1 else {}
    return {STEPS: ONE_EACH[0] + BETWEEN.join(names), **differ}
