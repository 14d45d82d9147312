"""How an engine forms its steps: continuous batching with a nominal time of a step."""

from dataclasses import dataclass

import numpy as np

from traces.request_checks import check_count, check_positive
from traces.requests import RequestTrace

#: What an EP group may run: one phase of all requests, or both in turn.
STAGES = ("decode", "prefill", "both")


@dataclass(frozen=True)
class ContinuousBatching:
    """Continuous batching of one EP group.

    A decode step has one token of every running sequence. A prefill step has the prompts of
    requests in order of arrival, up to a budget of tokens. Every step is of one phase. Requests
    wait while the batch is full, and leave with their last token. A group that runs both phases
    alternates between them while both have work.

    Assumptions of ours: every step of a phase takes the same nominal time, whatever its tokens;
    every output token takes one decode step, and every prompt token is computed once, whatever
    prefixes are shared. With ``stage`` "decode" the prompt is computed elsewhere, and a request
    can join at its ``arrival_s``. With "prefill" it leaves with its last prompt token.

    Parameters
    ----------
    sequences
        Most sequences of a step, over the whole EP group; those with a prompt in progress count.
    step_s
        Nominal seconds of a decode step.
    stage
        "decode", "prefill" or "both".
    prefill_tokens
        Most tokens of a prefill step, over the whole EP group.
    prefill_step_s
        Nominal seconds of a prefill step.
    chunked
        Whether a prompt may be cut at the budget and go on in the next prefill step. If not, a
        prompt above the budget has a step of its own.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    sequences: int
    step_s: float = 0.05
    stage: str = "decode"
    prefill_tokens: int = 16_384
    prefill_step_s: float = 0.5
    chunked: bool = True

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ValueError(f"stage = {self.stage!r} is not one of {', '.join(STAGES)}")
        for name in ("sequences", "prefill_tokens"):
            check_count(getattr(self, name), name)
        check_positive(step_s=self.step_s, prefill_step_s=self.prefill_step_s)

    @property
    def decodes(self) -> bool:
        """Whether the group runs decode steps."""
        return self.stage != "prefill"

    @property
    def prefills(self) -> bool:
        """Whether the group runs prefill steps."""
        return self.stage != "decode"

    def check(self, requests: RequestTrace) -> None:
        """Raise ValueError if a request has no tokens in a phase that the group runs."""
        phases = {"prompt_tokens": self.prefills, "output_tokens": self.decodes}
        for name in (name for name, runs in phases.items() if runs):
            column = getattr(requests, name)
            if column.min() < 1:
                row = int(np.argmin(column))
                raise ValueError(
                    f"{name} of request {row} is {column[row]} < 1, but stage = {self.stage!r} "
                    "computes them; leave such requests out: requests.served()"
                )
