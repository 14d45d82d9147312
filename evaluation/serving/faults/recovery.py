"""Recovery of a deployment: when a failure is detected, and how long each path takes."""

import dataclasses
import difflib
import math
from dataclasses import dataclass
from typing import Any

from hardware import preset

MODES = ("restart-the-world", "failover", "shrink", "missing-experts")


@dataclass(frozen=True)
class Recovery:
    """Parameters of recovery. Seconds count from detection to the next step.

    Seconds of the paths were measured by ReviveMoE (arXiv:2602.21140) with one failed NPU of 80
    that serve DeepSeek-V3. We assume that they hold for other sizes, and for a node as for a die.

    Parameters
    ----------
    mode
        "restart-the-world": all task executors restart (xDeepServe, arXiv:2508.02520, section 6,
        stage 1). "failover": only the failed one restarts (stage 2). "shrink": an executor that
        decodes goes on with fewer dies, and every expert keeps a replica (stage 2); an executor
        that only prefills fails over. "missing-experts": it goes on without the lost experts
        (ReviveMoE).
    spares
        Whether a restart finds a spare for the failed device. If not, a restart waits for the
        repair, except for a failover in decode: there an executor that prefills gives its dies
        until the repair (xDeepServe section 6: kill P to preserve D).
    heartbeat_s, missed_heartbeats
        Heartbeats are sent at whole multiples of ``heartbeat_s``. A failure is detected when
        ``missed_heartbeats`` in a row are not answered. xDeepServe names no figures: assumptions of
        ours.
    straggler_s
        Seconds until a slow die is detected; ``None``: as long as for a failure, an assumption of
        ours.
    full_restart_s
        Restart with cached graphs.
    attention_die_s
        Disaggregated, a die of attention lost.
    redundant_expert_s
        Disaggregated, a die of experts lost that all have a replica elsewhere.
    missing_expert_s
        Disaggregated, going on without some experts.
    role_switch_s
        Disaggregated, experts lost that must be loaded anew; 40.6 s of it load weights.
    colocated_s
        Colocated, a die lost whose experts all have a replica elsewhere. Without some experts, an
        assumption of ours: where attention and experts are apart, that takes 0.1 s longer.
    colocated_load_s
        Colocated, experts lost that must be loaded anew. Not published; ``colocated_s`` and the
        40.6 s, an assumption of ours.
    """

    mode: str = "failover"
    spares: bool = True
    heartbeat_s: float = 1.0
    missed_heartbeats: int = 3
    straggler_s: float | None = None
    full_restart_s: float = 83.1
    attention_die_s: float = 10.2
    redundant_expert_s: float = 10.7
    missing_expert_s: float = 10.8
    role_switch_s: float = 52.7
    colocated_s: float = 12.8
    colocated_load_s: float = 53.4

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if self.straggler_s is None:
            del values["straggler_s"]
        preset.checked("recovery", values, CHECKS, frozenset({"straggler_s"}))

    def detected_s(self, failed_s: float) -> float:
        """Return when a failure is detected: at the last of the heartbeats that are not answered.

        The first of them is the next one after the failure. A heartbeat at the very moment of the
        failure was still answered. So detection takes more than ``missed_heartbeats - 1`` intervals
        and at most ``missed_heartbeats``.
        """
        beats = math.floor(failed_s / self.heartbeat_s)
        while beats * self.heartbeat_s > failed_s:  # the quotient may have been rounded up
            beats -= 1
        while (beats + 1) * self.heartbeat_s <= failed_s:
            beats += 1
        return (beats + self.missed_heartbeats) * self.heartbeat_s

    def straggler_detected_s(self, slow_s: float) -> float:
        """Return when a die that is slow from ``slow_s`` on is detected."""
        if self.straggler_s is None:
            return self.detected_s(slow_s)
        return slow_s + self.straggler_s


def _mode(value: Any) -> str | None:
    if value in MODES:
        return None
    near = difflib.get_close_matches(str(value), MODES, n=1, cutoff=0.4)
    return f"did you mean {near[0]!r}?" if near else f"give one of {', '.join(MODES)}"


#: What each key of a [recovery] table may hold.
CHECKS: dict[str, preset.Check] = {
    "mode": _mode,
    "spares": preset.truth,
    "heartbeat_s": preset.positive,
    "missed_heartbeats": preset.count_from_one,
    "straggler_s": preset.not_negative,
    "full_restart_s": preset.not_negative,
    "attention_die_s": preset.not_negative,
    "redundant_expert_s": preset.not_negative,
    "missing_expert_s": preset.not_negative,
    "role_switch_s": preset.not_negative,
    "colocated_s": preset.not_negative,
    "colocated_load_s": preset.not_negative,
}
