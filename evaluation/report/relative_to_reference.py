"""Schedulers beside the reference of their stage: scores that compare across scenarios."""

import math

from evaluation.leaderboard import paired
from evaluation.report.panel import Record

Run = tuple[str, str, str, int]


def beside_reference(records: list[Record]) -> list[Record]:
    """Return records with ``goodput_ratio`` where the reference ran on the same traffic.

    Stages are played on scenarios of their own, whose goodputs are of different sizes: as they are,
    they compare with nothing. Records without a reference stay as they are.
    """
    base = {
        _run(one): _goodput(one) for one in records if one.get("reference") == one.get("solver")
    }
    return [_with_ratio(one, base) if one.get("reference") else one for one in records]


def ranked_by_stage(records: list[Record]) -> list[tuple[str, str, paired.Row]]:
    """Return candidate, stage and row, as ``podlab bench`` ranks them: stage by stage.

    Raises
    ------
    ValueError, LookupError, TypeError, ArithmeticError
        If a record lacks what is compared.
    """
    label = {(one["stage"], one["solver"]): one["candidate"] for one in records}
    return [
        (label[stage, row.name], stage, row)
        for stage, ranking in sorted(paired.ranked(records).items())
        for row in ranking.rows
    ]


def _run(record: Record) -> Run:
    stage, scenario = str(record.get("stage")), str(record["scenario"]["id"])
    return str(record["suite"]), stage, scenario, int(record.get("seed") or 0)


def _goodput(record: Record) -> float:
    return float(record.get("scores", {}).get("goodput") or 0.0)


def _with_ratio(record: Record, base: dict[Run, float]) -> Record:
    under = base.get(_run(record), 0.0)
    ratio = _goodput(record) / under if under > 0 else math.nan
    if record["status"] != "ok" or not math.isfinite(ratio):
        return record
    return {**record, "scores": {**record["scores"], "goodput_ratio": ratio}}
