"""Suites of recoveries: modes of recovery from a fault that each seed draws."""

from evaluation.kinds.kind import Display
from evaluation.kinds.scheduler.columns import SERVED
from evaluation.kinds.scheduler.scheduler import SchedulerKind
from evaluation.leaderboard.column import Column

COLUMNS = (
    *SERVED,
    Column(
        "recomputed_tokens",
        "computed again\ntokens",
        "Tokens whose cache was lost and computed again",
        "{:.0f}",
        better=-1,
    ),
    Column(
        "recovery_s",
        "to recover\ns",
        "Seconds from the fault until its task executor steps again",
        "{:.1f}",
        better=-1,
    ),
)


class RecoveryKind(SchedulerKind):
    """Modes of recovery, by the goodput relative to a reference on the same requests and fault."""

    name = "faults"
    title = "modes of recovery, on seeded faults"
    display = Display("recovery mode", "solver", "stage", COLUMNS)
    rankable = ("recovery",)


RECOVERY = RecoveryKind()
