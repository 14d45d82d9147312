"""A scenario: a trace and a deployment, what its keys may hold, and what is made of them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

import lb
import traces
from evaluation.executor import StepExecutor
from evaluation.replay import Deployment
from hardware import Collectives, Device, Fabric, Library, Model, Operators, preset
from hardware.faults import Jitter
from hardware.memory import check_fit


def name_or_names(value: Any) -> str | None:
    """Return what is wrong with a name or list of names; None if nothing is."""
    found = [value] if isinstance(value, str) else value
    good = isinstance(found, list) and found and all(isinstance(name, str) for name in found)
    return None if good else "give a name, or a list of names"


#: What each key of a scenario may hold.
CHECKS: dict[str, preset.Check] = {
    "id": preset.text,
    "family": preset.text,
    "trace": name_or_names,
    "model": preset.text,
    "num_ranks": preset.count_from_one,
    "slots_per_rank": preset.count_from_one,
    "window_steps": preset.count_from_one,
    "device": preset.text,
    "fabric": preset.text,
    "library": preset.text,
    "step_tokens": preset.count_from_one,
    "history_windows": preset.count_from_one,
    "hold_steps": preset.count_from_one,
    "phase": preset.text,
    "kv_tokens": preset.not_negative,
    "drafts": preset.count,
    "jitter_sigma": preset.not_negative,
    "stall_probability": preset.not_negative,
    "dispatcher": name_or_names,
    "forecaster": preset.text,
    "objective": preset.text,
}


@dataclass(frozen=True)
class Scenario:
    """One trace on one deployment.

    Parameters
    ----------
    id
        Name, unique in its suite.
    trace
        Bundled names or paths of traces, run one after another.
    model, device, fabric, library
        Presets of :mod:`hardware`; the library is one of its collectives.
    num_ranks, slots_per_rank, window_steps, history_windows, hold_steps
        As in :class:`evaluation.replay.Deployment`.
    step_tokens
        Tokens of one step, for traces that were recorded token by token.
    phase, kv_tokens, drafts
        How attention is priced; see :class:`evaluation.executor.StepExecutor`.
    jitter_sigma, stall_probability
        Noise of kernels; see :class:`hardware.faults.Jitter`.
    dispatcher
        Registered name. In a suite file a list of them stands for a scenario each.
    forecaster
        Registered name: what solvers that make no guess of their own plan for.
    family
        Name of the family of scenarios over which the mean gap to the best known is taken; its
        own id by default.
    objective
        "tokens", or "seconds": solvers are told what an expert's tokens cost.
    """

    id: str
    trace: tuple[str, ...]
    model: str
    num_ranks: int
    slots_per_rank: int
    window_steps: int
    device: str = "ascend-910c-die"
    fabric: str = "cloudmatrix384"
    library: str = "cann-ep"
    step_tokens: int | None = None
    history_windows: int = 1
    hold_steps: int = 1
    phase: str = "decode"
    kv_tokens: float = 2048.0
    drafts: int = 0
    jitter_sigma: float = 0.0
    stall_probability: float = 0.0
    dispatcher: str = "even"
    forecaster: str = "last"
    objective: str = "tokens"
    family: str = ""

    def load_trace(self) -> Any:
        """Return the trace in steps; it is read once a process."""
        return _load_trace(self.trace, self.step_tokens)

    def check(self) -> None:
        """Raise ValueError, naming the scenario, if anything it names is unknown or cannot be."""
        try:
            model = Model.preset(self.model)
            operators = Operators(Device.preset(self.device), model)
            Library.preset(self.library)
            Jitter(self.jitter_sigma, self.stall_probability)
            lb.make_dispatcher(self.dispatcher)
            lb.make_forecaster(self.forecaster)
            if self.objective not in ("tokens", "seconds"):
                raise ValueError(f"objective = {self.objective!r} is not 'tokens' or 'seconds'")
            for name in self.trace:
                traces.open(name, "routing")
            if self.phase not in ("decode", "prefill"):
                raise ValueError(f"phase = {self.phase!r} is not 'decode' or 'prefill'")
            # a problem checks ranks, slots and groups for itself
            lb.Problem(np.zeros((1, model.experts)), self.num_ranks, self.slots_per_rank)
            check_fit(operators, self.slots_per_rank, self._sequences_per_rank, self.kv_tokens)
        except (ValueError, FileNotFoundError) as error:
            raise ValueError(f"scenario {self.id!r}: {error}") from None

    def check_trace(self, trace: Any) -> None:
        """Raise ValueError unless the trace has the experts of the model."""
        model = Model.preset(self.model)
        for name, recorded, expected in (
            ("experts", trace.num_experts, model.experts),
            ("top_k", trace.top_k, model.top_k),
        ):
            if recorded != expected:
                raise ValueError(
                    f"scenario {self.id!r}: the trace {', '.join(self.trace)} has {name} = "
                    f"{recorded}, the model {self.model} has {expected}; name the model it was "
                    "recorded on"
                )

    def executor(self) -> StepExecutor:
        """Return the step executor of this scenario."""
        model = Model.preset(self.model)
        fabric = fabric_of(self.fabric, self.num_ranks)
        operators = Operators(Device.preset(self.device), model)
        noisy = self.jitter_sigma or self.stall_probability
        return StepExecutor(
            operators,
            Collectives(fabric, model, Library.preset(self.library)),
            self.kv_tokens,
            self.phase,
            self.drafts,
            Jitter(self.jitter_sigma, self.stall_probability) if noisy else None,
        )

    @property
    def presets(self) -> tuple[str, ...]:
        """Names or paths of the presets of hardware that the scenario is priced with."""
        return self.model, self.device, self.fabric, self.library

    @property
    def _sequences_per_rank(self) -> float:
        """Sequences whose cache a rank holds: in decode its tokens of a step, whole sequences."""
        tokens = (self.step_tokens or 0) / self.num_ranks
        return tokens / (1 + self.drafts) if self.phase == "decode" else 0.0

    def deployment(self, executor: StepExecutor) -> Deployment:
        """Return where and how often the experts may be rearranged."""
        collectives = executor.collectives
        return Deployment(
            num_ranks=self.num_ranks,
            slots_per_rank=self.slots_per_rank,
            window_steps=self.window_steps,
            migration_bytes_per_s=collectives.send_bytes_per_s(),
            ranks_per_node=collectives.fabric.ranks_per_node,
            expert_groups=collectives.model.expert_groups,
            history_windows=self.history_windows,
            hold_steps=self.hold_steps,
            dispatcher=self.dispatcher,
            forecaster=self.forecaster,
            objective=self.objective,
        )


@lru_cache(maxsize=4)
def _load_trace(names: tuple[str, ...], step_tokens: int | None) -> Any:
    if len(names) == 1 and step_tokens is None:
        return traces.open(names[0], "routing")  # streamed: it may be larger than memory
    parts: list[Any] = [traces.load(name, "routing") for name in names]
    whole: Any = traces.concat(parts)
    if isinstance(whole, traces.RoutingTrace):
        if step_tokens is not None:
            raise ValueError(f"{names} are counts of whole steps; leave out step_tokens")
        return whole
    if step_tokens is None:
        raise ValueError(f"{names} were recorded token by token; give step_tokens")
    return whole.split(step_tokens).counts()


@lru_cache(maxsize=4)
def fabric_of(name: str, num_ranks: int) -> Fabric:
    """Return a fabric preset over so many ranks, built once."""
    return Fabric.preset(name, num_ranks)
