"""Random faults, drawn from mean times between failures."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault, in_order
from evaluation.serving.faults.kinds import KINDS, FaultKind
from hardware import preset


class FaultRates(NamedTuple):
    """How often devices fail, and how long a repair takes.

    Parameters
    ----------
    mtbf_s, repair_s
        By kind, as in :func:`random_faults`.
    until_s
        Faults come before this second; ``None``: before the simulation is to stop, else before the
        last request arrives.
    """

    mtbf_s: Mapping[str, float]
    repair_s: Mapping[str, float]
    until_s: float | None = None


def random_kinds() -> dict[str, FaultKind]:
    """Return the kinds of faults that can be drawn at random, by name."""
    return {name: kind for name, kind in KINDS.items() if kind.random_stream is not None}


def random_faults(
    executors: Iterable[ExecutorDies],
    mtbf_s: Mapping[str, float],
    until_s: float,
    seed: int,
    repair_s: Mapping[str, float] | None = None,
) -> tuple[Fault, ...]:
    """Draw faults: every device fails at exponential times, independently of all others.

    Each device has its own random generator, made of the seed, the name of its executor, its kind
    and its index. So its faults stay the same when executors or kinds are added. A device that is
    never repaired fails once. A repaired device runs until its next failure. Constant failure rates
    and independence are assumptions of ours: real failures come in bursts and grow with age. Every
    switch and link belongs to the fabric of one executor here, another assumption.

    Parameters
    ----------
    executors
        Executors as they are built.
    mtbf_s
        Mean seconds between failures of one device, by kind (:func:`random_kinds`). A kind that is
        left out does not fail. There is no default.
    until_s
        Faults come before this second.
    seed
        Random seed.
    repair_s
        Seconds until a device is repaired, by kind. A kind that is left out is never repaired.

    Returns
    -------
    tuple of Fault
        By time.

    Raises
    ------
    ValueError
        If a kind cannot be drawn, a figure is not positive, the seed is negative, or links or
        switches are to fail in an executor without a fabric.
    """
    repairs = repair_s or {}
    check_rates(mtbf_s, repairs)
    if complaint := preset.positive(until_s):
        raise ValueError(f"until_s = {until_s}; {complaint}")
    if complaint := preset.count(seed):
        raise ValueError(f"seed = {seed!r}; {complaint}")
    faults: list[Fault] = []
    for executor in executors:
        for name, kind in random_kinds().items():
            for index in range(_devices(kind, executor) if name in mtbf_s else 0):
                random = _generator(seed, executor, kind, index)
                repair = repairs.get(name)
                for at_s in _failure_times(random, mtbf_s[name], repair, recurs=kind.recurs):
                    if at_s >= until_s:
                        break
                    faults.append(Fault(at_s, executor.name, name, index, repair))
    return in_order(faults)


def _generator(
    seed: int, executor: ExecutorDies, kind: FaultKind, index: int
) -> np.random.Generator:
    """Return the random generator of one device."""
    assert kind.random_stream is not None
    key = zlib.crc32(executor.name.encode())
    return np.random.default_rng([seed, key, kind.random_stream, index])


def _failure_times(
    random: np.random.Generator, mtbf_s: float, repair_s: float | None, *, recurs: bool
) -> Iterator[float]:
    """Yield the times at which one device fails."""
    now_s = float(random.exponential(mtbf_s))
    yield now_s
    while repair_s is not None or recurs:
        now_s += (repair_s or 0.0) + float(random.exponential(mtbf_s))
        yield now_s


def _devices(kind: FaultKind, executor: ExecutorDies) -> int:
    try:
        return kind.devices(executor)
    except ValueError as error:
        raise ValueError(f"mtbf_s: {error}") from None


def check_rates(mtbf_s: Mapping[str, float], repair_s: Mapping[str, float]) -> None:
    """Raise ValueError unless all kinds can be drawn, all seconds are positive and all fail."""
    kinds = random_kinds()
    for name, table in (("mtbf_s", mtbf_s), ("repair_s", repair_s)):
        for kind, seconds in table.items():
            if kind not in kinds:
                raise ValueError(f"{name}: {kind!r} is not one of {', '.join(kinds)}")
            if complaint := preset.positive(seconds):
                raise ValueError(f"{name}: {kind} = {seconds!r}; {complaint}")
    if unused := sorted(set(repair_s) - set(mtbf_s)):
        raise ValueError(f"repair_s: {unused[0]} never fails; give mtbf_s of it, or leave it out")
