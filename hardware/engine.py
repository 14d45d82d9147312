"""What a rank's transfer engine reaches on a fabric."""

from dataclasses import dataclass

from hardware.preset import FRACTION, SIZE, Rule, check

RULES = {
    "read_efficiency": FRACTION,
    "write_bytes_per_s": SIZE,
    "write_latency_s": Rule(float, least=0),
    "dispatch_bytes_per_element": SIZE,
    "scale_bytes": Rule(float, least=0),
    "combine_bytes_per_element": SIZE,
    "setup_s": Rule(float, least=0),
    "dispatch_within_bytes_per_s": SIZE,
    "dispatch_between_bytes_per_s": SIZE,
    "combine_within_bytes_per_s": SIZE,
    "combine_between_bytes_per_s": SIZE,
}


@dataclass(frozen=True)
class Engine:
    """Message formats and rates of dispatch, combine and point-to-point transfers.

    Parameters
    ----------
    read_efficiency
        Part of a link's bandwidth that pulled bytes reach.
    write_bytes_per_s
        Rate of one rank writing to another.
    write_latency_s
        Seconds until the first written bytes arrive.
    dispatch_bytes_per_element
        Bytes of one activation on the way to an expert.
    scale_bytes
        Bytes of the scales that travel with each dispatched token copy.
    combine_bytes_per_element
        Bytes of one activation on the way back.
    setup_s
        Seconds of one dispatch or combine that no byte accounts for: counts are broadcast and
        awaited from every rank.
    dispatch_within_bytes_per_s, dispatch_between_bytes_per_s
        Rate at which one rank pulls copies from ranks of its server, and of other servers.
    combine_within_bytes_per_s, combine_between_bytes_per_s
        The same for combine.

    Raises
    ------
    ValueError
        If a rate is not positive or an efficiency exceeds 1.
    """

    read_efficiency: float
    write_bytes_per_s: float
    write_latency_s: float
    dispatch_bytes_per_element: float
    scale_bytes: float
    combine_bytes_per_element: float
    setup_s: float
    dispatch_within_bytes_per_s: float
    dispatch_between_bytes_per_s: float
    combine_within_bytes_per_s: float
    combine_between_bytes_per_s: float

    def __post_init__(self) -> None:
        check(vars(self), RULES, "Engine")
