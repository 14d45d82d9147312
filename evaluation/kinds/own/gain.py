"""What a solver gains a step, against doing nothing on the same traffic."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from evaluation.records.identity import Record


@dataclass(frozen=True)
class Gain:
    """Means over scenarios and repetitions; seconds are those of all MoE layers of the model.

    Parameters
    ----------
    step_s, nothing_s
        Of a step, migration included, with the solver and without any balancing.
    saved
        Part of the time of a step that the solver saves.
    interval
        95 % confidence interval of ``saved`` over repetitions; ``None`` with a single one.
    repetitions
        Independent repetitions.
    migration
        Part of the time that migration takes.
    captured
        Part of what hindsight would save; ``None`` where there is nothing to save.
    """

    step_s: float
    nothing_s: float
    saved: float
    interval: tuple[float, float] | None
    repetitions: int
    migration: float
    captured: float | None


def gain_of(records: Sequence[Record], layer_factor: float) -> Gain:
    """Return the gain of one solver.

    The mean over the scenarios of a repetition is one observation. Repetitions are independent, so
    that the interval is that of Student's t.

    Parameters
    ----------
    records
        Of one solver on scenarios with baselines, each with the same seeds.
    layer_factor
        Layers of the model for each replayed layer.
    """
    saved: dict[int, list[float]] = defaultdict(list)
    step_s, nothing_s, migration = [], [], []
    for record in records:
        scores, windows = record["scores"], record["windows"]
        computing, moving = sum(windows["step_s"]), sum(windows["migration_s"])
        steps = computing / scores["step_s"]
        taken = computing + moving
        nothing = sum(windows["ideal_s"]) / scores["do_nothing"]
        step_s.append(layer_factor * taken / steps)
        nothing_s.append(layer_factor * nothing / steps)
        migration.append(moving / taken)
        saved[record["seed"]].append(1 - taken / nothing)
    captured = [record["scores"]["captured"] for record in records]
    each = [fmean(of_seed) for of_seed in saved.values()]
    return Gain(
        fmean(step_s),
        fmean(nothing_s),
        fmean(each),
        _interval(each),
        len(each),
        fmean(migration),
        None if None in captured else fmean(captured),
    )


def _interval(values: Sequence[float]) -> tuple[float, float] | None:
    from scipy.special import stdtrit

    count = len(values)
    if count < 2:
        return None
    half = float(stdtrit(count - 1, 0.975)) * float(np.std(values, ddof=1)) / count**0.5
    return fmean(values) - half, fmean(values) + half
