"""The law of routing under conditions of a law of loads, for `podlab trace generate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traces.generators import Law
    from traces.generators.loads import LoadLaw

#: Tokens of a step unless --set step_tokens says otherwise: decode of EP32 with 144 sequences a
#: die, as in the law of routing ``deepseek-r1-decode``.
STEP_TOKENS = 4608


def load_law(preset: str | None, law: Path | None) -> "LoadLaw | None":
    """Return the law of loads that a preset or a file is; None if it is a law of routing.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file says that it holds a law of loads, and does not.
    """
    from traces.generators import loads

    if preset in loads.PRESETS:
        return loads.preset(preset)
    if law is None:
        return None
    if not law.is_file():
        raise FileNotFoundError(f"{law}: there is no such file")
    try:
        return loads.load(law) if loads.is_load_law(law) else None
    except UnicodeDecodeError:
        raise ValueError(f"{law}: is no text; give the .toml file of a law") from None


def condition_law(
    loads: "LoadLaw", conditions: list[str], steps: int, requests: int | None
) -> "Law":
    """Return the law of routing under conditions, one after another or mixed.

    Parameters
    ----------
    loads
        The law of loads.
    conditions
        Names, or names with shares (NAME=SHARE); empty: all recordings of the law.
    steps
        Steps of the trace. Conditions that follow each other have equal parts of them.
    requests
        Requests that run at a time; see :func:`traces.generators.loads.routing_law`.

    Raises
    ------
    ValueError
        If the law knows no such condition, or some have shares and others none.
    """
    from traces.generators import loads as laws

    conditions = conditions or list(loads.recordings or ())
    if not conditions:
        phases = ", ".join(sorted({curve.phase for curve in loads.curves}))
        raise ValueError(
            f"the law has loads of {phases}, and no recording by name; give --condition, such as "
            "decode_in1000out500 or prefill_in1024"
        )
    names, shares = _shares(conditions)
    fields: dict[str, Any] = {"step_tokens": STEP_TOKENS}
    if shares is not None:
        fields["mix"] = shares
    elif len(names) > 1:
        each = [steps // len(names) + (n < steps % len(names)) for n in range(len(names))]
        if min(each) == 0:
            raise ValueError(f"--steps {steps} < {len(names)} conditions; give at least one each")
        one_hot = [tuple(float(n == own) for n in range(len(names))) for own in range(len(names))]
        fields["schedule"] = tuple(zip(each, one_hot, strict=True))
    return laws.routing_law(loads, names, requests=requests, phase=_phase(names), **fields)


def _phase(names: list[str]) -> str:
    """Return the phase that names state: "mixed" if they differ, "unknown" if one states none."""
    from traces.condition_names import phase_of

    phases = {phase_of(name, "unknown") for name in names}
    return "unknown" if "unknown" in phases else "mixed" if len(phases) > 1 else phases.pop()


def _shares(conditions: list[str]) -> tuple[list[str], tuple[float, ...] | None]:
    """Return the names of conditions and their shares, None where there are none."""
    parts = [text.rpartition("=") for text in conditions]
    with_share = [bool(equals) for _, equals, _ in parts]
    if not any(with_share):
        return conditions, None
    if not all(with_share):
        without = conditions[with_share.index(False)]
        raise ValueError(f"--condition {without} has no share; give NAME=SHARE for all or for none")
    numbers = []
    for name, _, number in parts:
        try:
            numbers.append(float(number))
        except ValueError:
            raise ValueError(f"--condition {name}={number}: give a share, such as 0.3") from None
    if not (min(numbers) >= 0 < sum(numbers) < float("inf")):
        raise ValueError(
            f"--condition: shares are {numbers}; give numbers >= 0, one of them above 0"
        )
    return [name for name, _, _ in parts], tuple(n / sum(numbers) for n in numbers)
