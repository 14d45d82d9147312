"""A whole engine step: MoE layers, dense layers, draft layers, output heads and the host."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evaluation.step.executor import StepExecutor
from evaluation.step.step_time import StepTime
from schedulers.pipeline import PLANS, Schedule, Stage, schedule

#: Host time between two steps: xDeepServe section 7.1 measures a gap of about 2 ms.
HOST_S = 2e-3


@dataclass(frozen=True)
class EngineStep:
    """Seconds of one engine step by part.

    Parameters
    ----------
    moe, dense, drafts, head, host
        MoE layers, dense layers, layers of multi-token prediction, output heads (of the model and
        of each draft), and the gap between steps.
    schedule
        When each stage of the MoE layers ran, with overlapping micro-batches.
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


def overlap_schedule(
    step: StepTime, plan: str, micro_batches: int, interference: float = 0.0
) -> Schedule:
    """Schedule equal micro-batches under an overlap plan.

    Parameters
    ----------
    step
        Seconds of one micro-batch.
    plan
        One of ``schedulers.pipeline.PLANS``.
    micro_batches
        Number of micro-batches, each of which takes ``step``.
    interference
        As in :func:`schedulers.pipeline.schedule`: ``interference`` of the device's kernels.

    Raises
    ------
    ValueError
        If the plan is unknown, or ``micro_batches`` is below 1.
    """
    if plan not in PLANS:
        raise ValueError(f"plan = {plan!r} is not one of {', '.join(PLANS)}")
    phases = ("attention", "dispatch", "experts", "combine")
    stages = [Stage(name, PLANS[plan][name], getattr(step, name)) for name in phases]
    return schedule([stages] * micro_batches, interference)


def engine_step(
    executor: StepExecutor,
    step: StepTime,
    tokens: float,
    *,
    plan: str = "serial",
    micro_batches: int = 1,
    host_s: float = HOST_S,
) -> EngineStep:
    """Price a whole engine step from the price of its MoE layers.

    The mean MoE layer of the trace stands for every MoE layer of the model. A dense layer runs
    attention and its MLP. A draft layer costs as much as the mean MoE layer. The model and every
    draft run an output head.

    Parameters
    ----------
    executor
        The executor that priced ``step``.
    step
        Seconds of one micro-batch.
    tokens
        Tokens of one rank in the whole step.
    plan, micro_batches
        As in :func:`overlap_schedule`.
    host_s
        Host time between steps, seconds.
    """
    operators, model = executor.operators, executor.operators.model
    interference = operators.device.kernels.interference
    moe_schedule = overlap_schedule(step, plan, micro_batches, interference)
    layer_s = moe_schedule.total / len(step.dispatch)
    attention = operators.attention_parts(
        tokens, executor.kv_tokens, executor.phase, 1.0 + executor.drafts
    )
    # A dense layer has no router and no shared expert.
    moe_only = ("gate", "shared expert")
    attention_s = float(np.sum([s for name, s in attention.items() if name not in moe_only]))
    mlp_s = float(operators.mlp_s(tokens, model.dense_inter)) if model.dense_layers else 0.0
    return EngineStep(
        moe=layer_s * model.moe_layers,
        dense=model.dense_layers * (attention_s + mlp_s),
        drafts=layer_s * executor.drafts,
        head=float(operators.head_s(tokens)) * (1 + executor.drafts),
        host=host_s,
        schedule=moe_schedule,
    )
