"""Values of a grid on the command line: numbers separated by commas."""

import math
from collections.abc import Callable
from typing import TypeVar

Number = TypeVar("Number", int, float)


def grid_values(
    text: str,
    name: str,
    number: Callable[[str], Number],
    *,
    at_least: float,
    at_most: float = math.inf,
) -> tuple[Number, ...]:
    """Return the numbers of an option, ascending.

    Parameters
    ----------
    text
        Numbers separated by commas: "0,0.5,1".
    name
        Name of the option, without its dashes.
    number
        ``int`` or ``float``.
    at_least, at_most
        Smallest and largest number allowed.

    Raises
    ------
    ValueError
        If an entry is missing, not a number, not finite, out of bounds or repeated.
    """
    numbers: list[Number] = []
    for part in text.split(","):
        kind = "a whole number" if number is int else "a number"
        try:
            value = number(part.strip())
        except ValueError:
            raise ValueError(
                f"--{name} {text}: {part.strip()!r} is not {kind}; give {kind} or several between "
                "commas"
            ) from None
        if not (at_least <= value <= at_most and math.isfinite(value)):
            bounds = f"{at_least:g} <= {name}"
            bounds += f" <= {at_most:g}" if math.isfinite(at_most) else ""
            raise ValueError(f"--{name} {text}: {value} breaks {bounds}, finite")
        if value in numbers:
            raise ValueError(f"--{name} {text}: {value} is there twice; give it once")
        numbers.append(value)
    return tuple(sorted(numbers))
