"""What the records of a suite on own recordings say, in a few sentences."""

from collections.abc import Sequence
from statistics import fmean

from evaluation.kinds import named
from evaluation.kinds.own.gain import Gain, gain_of
from evaluation.kinds.own.suite import STEADY, OwnSuite
from evaluation.leaderboard import RankingRow
from evaluation.leaderboard.ties import SMALLEST_INTERESTING, Tie
from evaluation.records.identity import Record
from evaluation.replay.recovery_time import STEADY_WINDOWS

#: Scored windows below which the windows of one recording make no interval to rely on.
FEWEST_WINDOWS = 8
_LEAST = f"{100 * SMALLEST_INTERESTING:g} %"


def verdict(own: OwnSuite, records: Sequence[Record]) -> list[str]:
    """Return which solver to use in a steady state, which under a change, and how sure that is.

    Parameters
    ----------
    own
        The suite.
    records
        Of its solvers on all of its scenarios.

    Returns
    -------
    list of str
        A text on the steady state of each phase, one on changes, and one on what the intervals
        hold for; empty if no solver ran everywhere.
    """
    steady = [each for each in records if each["scenario"]["id"].startswith(STEADY)]
    changed = [each for each in records if not each["scenario"]["id"].startswith(STEADY)]
    phases = sorted({each["scenario"]["phase"] for each in steady})
    sides = [
        _Side(own, f"In a steady state of {phase}", [one for one in steady if _phase(one) == phase])
        for phase in phases
    ]
    lines = [side.use() for side in sides if side.rows]
    if not lines:
        return []
    change = _Side(own, "When one condition gives way to another", changed)
    if change.rows:
        lines.append(f"{change.use()} {change.fall()}")
    elif len(own.recordings) == 1:
        lines.append("No change was recorded: give a --trace of another condition to judge one.")
    return [*lines, f"How sure: {_limits(own, steady)}"]


class _Side:
    """One side of the verdict: records in a steady state of one phase, or under changes.

    Parameters
    ----------
    own, when, records
        The suite, the side in words, and its records.
    """

    def __init__(self, own: OwnSuite, when: str, records: Sequence[Record]) -> None:
        self.own, self.when, self.records = own, when, records
        ranking = named("solver").ranking(records)
        self.rows: list[RankingRow] = ranking.rows
        self.ties: list[Tie] = ranking.ties

    def use(self) -> str:
        """Return which solver to use, and what it gains."""
        best = self.rows[0]
        gain = gain_of(self._of(best.name), self.own.layer_factor)
        low = gain.saved if gain.interval is None else gain.interval[0]
        if low <= 0 or best.name == "contiguous":
            return (
                f"{self.when} balancing does not pay: with {best.name}, the best, {self._times()} "
                f"saves {100 * gain.saved:.1f} % of the time{_sure(gain)}.{self._next()}"
            )
        others = [row.name for row in self._alike()]
        alike = f" (or {', '.join(others)}, as good within {_LEAST})" if others else ""
        captured = (
            ""
            if gain.captured is None
            else f", {100 * gain.captured:.0f} % of what knowing each window before would gain"
        )
        return (
            f"{self.when} use {best.name}{alike}: {self._times()} saves "
            f"{100 * gain.saved:.1f} % of the time{_sure(gain)}{captured}.{self._next()}"
        )

    def fall(self) -> str:
        """Return how far the best solver falls after the change, and how soon it is back."""
        records = self._of(self.rows[0].name)
        first, levels = [], []
        for record in records:
            windows = record["windows"]
            taken = [s + m for s, m in zip(windows["step_s"], windows["migration_s"], strict=True)]
            ideal = windows["ideal_s"]
            levels.append(sum(ideal[-STEADY_WINDOWS:]) / sum(taken[-STEADY_WINDOWS:]))
            first.append(record["scores"]["shift_efficiency"])
        worst = min(records, key=lambda record: record["scores"]["shift_efficiency"])
        back = fmean(record["scores"]["recovery_windows"] for record in records)
        part = 100 * fmean(first) / fmean(levels)
        return (
            f"The first window after a change runs at {part:.0f} % of the later speed (worst: "
            f"{worst['scenario']['id']}), and {back:.1f} windows of {_window(worst)} after the "
            "change it is back within 1 %."
        )

    def _of(self, solver: str) -> list[Record]:
        return [record for record in self.records if record["solver"] == solver]

    def _times(self) -> str:
        """Return the seconds of a step with the best solver and without, by phase, before "saves".

        Where all scenarios change from one phase to another, their steps have no mean to speak of.
        """
        records = [one for one in self._of(self.rows[0].name) if self._is_of_one_phase(one)]
        if not records:
            return "migration included, it"
        layers = round(self.own.layer_factor * len(records[0]["layers"]["balancedness_next"]))
        texts = []
        for phase in sorted(set(map(_phase, records))):
            of_phase = [record for record in records if _phase(record) == phase]
            gain = gain_of(of_phase, self.own.layer_factor)
            texts.append(
                f"a {phase} step of {layers} MoE layers takes {_seconds(gain.step_s)} instead of "
                f"{_seconds(gain.nothing_s)}, {_seconds(gain.nothing_s - gain.step_s)} less"
            )
        return f"{' and '.join(texts)}, migration included, so that it"

    def _is_of_one_phase(self, record: Record) -> bool:
        crossing = [
            f"{before.name}-to-{after.name}"
            for before, after in self.own.changes
            if before.phase != after.phase
        ]
        return record["scenario"]["id"] not in crossing

    def _alike(self) -> list[RankingRow]:
        """Return the other rows that differ too little from the best to matter."""
        best, *others = self.rows
        return [row for row in others if _slower(row, best) < SMALLEST_INTERESTING]

    def _next(self) -> str:
        """Return how far behind the first row is that differs, and whether that is certain."""
        best, *others = self.rows
        behind = [row for row in others if _slower(row, best) >= SMALLEST_INTERESTING]
        if not others:
            return " No other solver ran."
        if not behind:
            return f" No solver is slower by {_LEAST} or more."
        row = behind[0]
        text = f" The next, {row.name}, is slower by {100 * _slower(row, best):.1f} %"
        tie = next((one for one in self.ties if {best.name, row.name} == _names(one)), None)
        if tie is None and best.within_recording:
            return f"{text}, more than the windows of this traffic scatter."
        if tie is None:
            return f"{text}, which is certain (95 %, all pairs together)."
        needed = f"; about {tie.repetitions:,} repetitions would tell" if tie.repetitions else ""
        return f"{text}, which may be chance{needed}."


def _slower(row: RankingRow, best: RankingRow) -> float:
    return best.score / row.score - 1


def _names(tie: Tie) -> set[str]:
    return {name for name, _ in tie.rows}


def _phase(record: Record) -> str:
    return str(record["scenario"]["phase"])


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.1f} ms"


def _sure(gain: Gain) -> str:
    if gain.interval is None:
        return ""
    low, high = (100 * end for end in gain.interval)
    return f" (95 % interval {low:.1f} to {high:.1f} %)"


def _window(record: Record) -> str:
    scenario = record["scenario"]
    if scenario["window_s"]:
        return f"{scenario['window_s']:g} s"
    return f"{scenario['window_steps']:,} steps"


def _limits(own: OwnSuite, records: Sequence[Record]) -> str:
    """Return of what intervals speak, and of what they do not."""
    if own.is_one_draw:
        windows = min(len(record["windows"]["step_s"]) for record in records)
        text = f"the recording ran once, and its own {windows} windows make the intervals"
        if windows < FEWEST_WINDOWS:
            text += f", fewer than {FEWEST_WINDOWS}, so that they are no more than a hint"
        return f"{text}; nothing is said about another recording."
    drawn = "requests, tokens and layers" if own.layer_factor > 1 else "requests and tokens"
    seeds = len({record["seed"] for record in records})
    if seeds < 2:
        return (
            f"{drawn} were drawn once, which says nothing about other draws; leave --seed out for "
            f"{len(own.suite.seeds)} of them."
        )
    return (
        f"intervals are over {seeds} independent draws of {drawn} from these recordings; loads "
        "that were not recorded are not in them."
    )
