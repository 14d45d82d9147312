"""Faults drawn at random from mean times between failures."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_faults import cables, switches
from evaluation.serving.faults.fault import Fault, in_order
from hardware import preset

#: Kinds that are drawn. A slow die needs a speed and is scheduled.
DRAWN = ("die", "node", "link", "switch", "glitch")


class FaultRates(NamedTuple):
    """How often what fails.

    Parameters
    ----------
    mtbf_s, repair_s
        By kind, as in :func:`random_faults`.
    until_s
        Faults come before; ``None``: before the simulation is to stop, else before the last
        request arrives.
    """

    mtbf_s: Mapping[str, float]
    repair_s: Mapping[str, float]
    until_s: float | None = None


def random_faults(
    executors: Iterable[ExecutorDies],
    mtbf_s: Mapping[str, float],
    until_s: float,
    seed: int,
    repair_s: Mapping[str, float] | None = None,
) -> tuple[Fault, ...]:
    """Draw faults: every device fails at exponential times, independently of all others.

    Each device has a generator of its own, made of the seed, its executor's name, its kind and its
    index, so that its faults stay the same when executors or kinds are added. A device that is
    never repaired fails once; one that is repaired runs anew from then on. A glitch is of a whole
    executor, lasts one step and comes again. Constant failure rates and independence are
    assumptions of ours: real failures come in bursts and grow with age. A switch or link belongs to
    one executor's fabric here, another assumption.

    Parameters
    ----------
    executors
        As they are built.
    mtbf_s
        Mean seconds between failures of one device, for "die", "node", "link", "switch" and
        "glitch"; a kind that is not there does not fail. There is no default.
    until_s
        Faults come before.
    seed
        Of all draws.
    repair_s
        Seconds until a device is back, by kind; a kind that is not there is never repaired.

    Returns
    -------
    tuple of Fault
        By time.

    Raises
    ------
    ValueError
        If a kind is not drawn, a figure is not positive, the seed negative, or links or switches
        are to fail in an executor without a fabric.
    """
    repairs = repair_s or {}
    check_rates(mtbf_s, repairs)
    if complaint := preset.positive(until_s):
        raise ValueError(f"until_s = {until_s}; {complaint}")
    if complaint := preset.count(seed):
        raise ValueError(f"seed = {seed!r}; {complaint}")
    found: list[Fault] = []
    for executor in executors:
        key = zlib.crc32(executor.name.encode())
        for kind in (kind for kind in DRAWN if kind in mtbf_s):
            for index in range(_devices(executor, kind)):
                random = np.random.default_rng([seed, key, DRAWN.index(kind), index])
                times = _times(random, mtbf_s[kind], repairs.get(kind), kind == "glitch")
                for at_s in times:
                    if at_s >= until_s:
                        break
                    found.append(Fault(at_s, executor.name, kind, index, repairs.get(kind)))
    return in_order(found)


def _times(
    random: np.random.Generator, mtbf_s: float, repair_s: float | None, again: bool
) -> Iterator[float]:
    now_s = float(random.exponential(mtbf_s))
    yield now_s
    while repair_s is not None or again:
        now_s += (repair_s or 0.0) + float(random.exponential(mtbf_s))
        yield now_s


def _devices(executor: ExecutorDies, kind: str) -> int:
    if kind in ("link", "switch"):
        if executor.fabric is None:
            raise ValueError(
                f"mtbf_s: {executor.name} has no fabric whose {kind} could fail; give it one, or "
                f"leave {kind} out"
            )
        parts = cables if kind == "link" else switches
        return len(parts(executor.fabric))
    return {"die": executor.dies, "node": executor.nodes, "glitch": 1}[kind]


def check_rates(mtbf_s: Mapping[str, float], repair_s: Mapping[str, float]) -> None:
    for name, table in (("mtbf_s", mtbf_s), ("repair_s", repair_s)):
        for kind, seconds in table.items():
            if kind not in DRAWN:
                raise ValueError(f"{name}: {kind!r} is not one of {', '.join(DRAWN)}")
            if complaint := preset.positive(seconds):
                raise ValueError(f"{name}: {kind} = {seconds!r}; {complaint}")
    if unused := sorted(set(repair_s) - set(mtbf_s)):
        raise ValueError(f"repair_s: {unused[0]} never fails; give mtbf_s of it, or leave it out")
