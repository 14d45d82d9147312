"""A whole engine step: MoE layers, dense layers, draft layers, output head and the host."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evaluation.step.executor import StepExecutor
from evaluation.step.steptime import StepTime
from schedulers.pipeline import PLANS, Schedule, Stage, schedule

#: What the host needs between two steps: xDeepServe section 7.1 measures a gap of about 2 ms.
HOST_S = 2e-3


@dataclass(frozen=True)
class Iteration:
    """Seconds of one engine step by part.

    Parameters
    ----------
    moe, dense, drafts, head, host
        MoE layers, dense layers, layers of multi-token prediction, output heads (of the model and
        of each draft), and the gap between steps.
    schedule
        What ran when in the MoE layers, where micro-batches overlap.
    """

    moe: float
    dense: float
    drafts: float
    head: float
    host: float
    schedule: Schedule | None = None

    @property
    def total(self) -> float:
        """Seconds."""
        return self.moe + self.dense + self.drafts + self.head + self.host

    def parts(self) -> Mapping[str, float]:
        """Return the parts by name."""
        names = ("moe", "dense", "drafts", "head", "host")
        return {name: float(getattr(self, name)) for name in names}


def overlapped(step: StepTime, plan: str, micro_batches: int) -> Schedule:
    """Run ``micro_batches`` micro-batches, each of which takes ``step``, under a plan.

    Parameters
    ----------
    step
        Seconds of one micro-batch.
    plan
        One of ``schedulers.pipeline.PLANS``.
    micro_batches
        How many; all alike.

    Raises
    ------
    ValueError
        If the plan is unknown or there is no micro-batch.
    """
    if plan not in PLANS:
        raise ValueError(f"plan = {plan!r} is not one of {', '.join(PLANS)}")
    phases = ("attention", "dispatch", "experts", "combine")
    stages = [Stage(name, PLANS[plan][name], getattr(step, name)) for name in phases]
    return schedule([stages] * micro_batches)


def iteration(
    executor: StepExecutor,
    step: StepTime,
    tokens: float,
    *,
    plan: str = "serial",
    micro_batches: int = 1,
    host_s: float = HOST_S,
) -> Iteration:
    """Add to the MoE layers of a step all else that an engine step does.

    The trace's MoE layers stand for all of the model's. Dense layers run attention and their MLP,
    draft layers cost as a mean MoE layer, and every draft and the model itself an output head.

    Parameters
    ----------
    executor
        What priced ``step``.
    step
        One micro-batch.
    tokens
        Tokens of one rank in the whole step.
    plan, micro_batches
        As in :func:`overlapped`.
    host_s
        Gap between steps.
    """
    operators, model = executor.operators, executor.operators.model
    ran = overlapped(step, plan, micro_batches)
    layer = ran.total / len(step.dispatch)
    attention = operators.attention_parts(
        tokens, executor.kv_tokens, executor.phase, 1.0 + executor.drafts
    )
    outside = ("gate", "shared expert")
    attention_s = float(np.sum([s for name, s in attention.items() if name not in outside]))
    mlp = float(operators.mlp_s(tokens, model.dense_inter)) if model.dense_layers else 0.0
    return Iteration(
        moe=layer * model.moe_layers,
        dense=model.dense_layers * (attention_s + mlp),
        drafts=layer * executor.drafts,
        head=float(operators.head_s(tokens)) * (1 + executor.drafts),
        host=host_s,
        schedule=ran,
    )
