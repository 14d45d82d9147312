"""A scenario: a trace or a workload on one deployment."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

import lb
import traces
from evaluation.replay.deployment import ExpertDeployment
from evaluation.replay.scenario_trace import load_trace
from evaluation.replay.stream import stream_of
from evaluation.replay.workload_windows import is_drawn, sequences, workload_path
from evaluation.step.executor import StepExecutor
from hardware import Collectives, Device, Fabric, Library, Model, Operators
from hardware.faults import Jitter
from hardware.memory import check_fit


@dataclass(frozen=True)
class Scenario:
    """A trace or a workload on one deployment.

    Parameters
    ----------
    id
        Name, unique in its suite.
    trace
        Bundled names or paths of traces, run one after another; none with a workload.
    model, device, fabric, library
        Presets of :mod:`hardware`. The library is a collective library.
    num_ranks, slots_per_rank, window_steps, history_windows
        As in :class:`evaluation.replay.deployment.ExpertDeployment`. With a workload, steps are
        engine steps; ``window_steps`` is 0 where ``window_s`` is given.
    consecutive_tokens
        Tokens of one step, for traces that were recorded token by token: steps are cut from tokens
        that follow each other. Such a step is a piece of a few prompts, and windows differ far more
        than those of an engine, whose steps a workload composes.
    phase, kv_tokens, drafts
        Price of attention; see :class:`evaluation.step.executor.StepExecutor`.
    jitter_sigma, stall_probability
        Noise of kernels; see :class:`hardware.faults.Jitter`.
    dispatcher
        Registered name. In a suite file a list of names stands for one scenario each.
    forecaster
        Registered name. Solvers that make no forecast plan for its forecast.
    family
        Family of scenarios over which the gap to the best known score is averaged. Default: the
        id of the scenario.
    steps
        Steps of a generated trace; ``None``: the default of the generator.
    layers
        Number of first layers of the trace to keep; ``None``: all.
    max_moves
        Expert weights that ranks may receive in a rebalance; see
        :class:`evaluation.replay.deployment.ExpertDeployment`.
    migration_bytes_per_s
        Rate at which one rank receives weights; ``None``: the rate of the fabric's links.
    migration_pause_s
        Seconds that a rebalance stops the engine; see
        :class:`evaluation.replay.deployment.ExpertDeployment`.
    split
        Parts of the windows in order of time, (train, validation, test). A solver or forecaster
        with a ``fit`` is trained on the first part. All are scored on the last part.
    workload
        Bundled workload (:mod:`traces.workload`) or a ``.toml`` file, instead of a trace. Each
        seed is another repetition of it, independent of those of other workloads
        (:mod:`evaluation.replay.stream`). Two of them follow each other: the second one begins in
        window ``change_window``.
    window_s
        Seconds of a window of a workload, instead of ``window_steps``.
    sampled_steps
        Steps of each phase that are priced in a window of a workload.
    windows
        Windows of the workload, the observed first one included; ``None``: all that it has.
    change_window
        First window after the mixture of requests has changed; ``None``: it does not change.
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
    consecutive_tokens: int | None = None
    history_windows: int = 1
    phase: str = "decode"
    kv_tokens: float = 2048.0
    drafts: int = 0
    jitter_sigma: float = 0.0
    stall_probability: float = 0.0
    dispatcher: str = "even"
    forecaster: str = "last"
    objective: str = "tokens"
    family: str = ""
    steps: int | None = None
    layers: int | None = None
    max_moves: int | None = None
    migration_bytes_per_s: float | None = None
    migration_pause_s: float = 0.0
    split: tuple[float, float, float] | None = None
    workload: tuple[str, ...] = ()
    window_s: float | None = None
    sampled_steps: int = 16
    windows: int | None = None
    change_window: int | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether the traffic is drawn, so that it depends on the seed."""
        if self.workload:
            return all(map(is_drawn, self.workload))
        return all(name in traces.GENERATED for name in self.trace)

    def trace_seed(self, seed: int) -> int | None:
        """Return what the traffic of ``seed`` is drawn with; ``None`` for recorded traffic.

        Equal numbers are the same requests, also in different scenarios, so that their scores are
        paired. The number of a generated trace is the seed itself, that of a workload its stream
        (:func:`evaluation.replay.stream.stream_of`).
        """
        if not self.is_drawn:
            return None
        return stream_of(self.workload, seed) if self.workload else seed

    def load_trace(self, seed: int = 0) -> Any:
        """Return the trace in steps, cached; a generated trace is drawn with ``seed``.

        Raises
        ------
        ValueError
            If the scenario has a workload instead.
        """
        if self.workload:
            raise ValueError(
                f"scenario {self.id!r} replays a workload, "
                f"{', '.join(self.workload)}; give a scenario with a trace"
            )
        return load_trace(
            self.trace, self.consecutive_tokens, self.trace_seed(seed), self.steps, self.layers
        )

    def split_bounds(self, windows: int) -> tuple[int, int]:
        """Return the numbers of the windows at which validation and test begin.

        Without a split there is no training, and all but the first window are scored.

        Raises
        ------
        ValueError
            If no window is left to train on, or to score; or if the mixture of requests has changed
            before the first one that is scored.
        """
        if self.split is None:
            return 0, 1
        train, validation, _ = self.split
        train_end, test_start = round(train * windows), round((train + validation) * windows)
        if not 1 <= train_end <= test_start < windows:
            raise ValueError(
                f"split = {list(self.split)} of {windows} windows trains on {train_end} and tests "
                f"on {windows - test_start}; give longer traffic, or shorter windows"
            )
        if self.change_window is not None and test_start >= self.change_window:
            raise ValueError(
                f"split = {list(self.split)} tests from window {test_start} >= change_window = "
                f"{self.change_window}; the test must begin before the change: give a larger last "
                "part, or a later change_window"
            )
        return train_end, test_start

    def check(self) -> None:
        """Raise ValueError, naming the scenario, if a name is unknown or a value is impossible."""
        try:
            model = Model.preset(self.model)
            operators = Operators(Device.preset(self.device), model)
            Library.preset(self.library)
            Jitter(self.jitter_sigma, self.stall_probability)
            lb.make_dispatcher(self.dispatcher)
            lb.make_forecaster(self.forecaster)
            if self.objective not in ("tokens", "seconds"):
                raise ValueError(f"objective = {self.objective!r} is not 'tokens' or 'seconds'")
            if self.workload:
                self._check_workload()
            elif self.window_s is not None or self.windows is not None:
                raise ValueError("window_s and windows are for workloads; leave them out")
            for name in self.trace:
                if name not in traces.GENERATED:
                    traces.open(name, "routing")
            if self.steps is not None and not self.is_drawn:
                raise ValueError(f"steps = {self.steps}: {', '.join(self.trace)} is recorded whole")
            if self.phase not in ("decode", "prefill"):
                raise ValueError(f"phase = {self.phase!r} is not 'decode' or 'prefill'")
            # lb.Problem checks ranks, slots and groups itself.
            lb.Problem(np.zeros((1, model.experts)), self.num_ranks, self.slots_per_rank)
            check_fit(operators, self.slots_per_rank, self._sequences_per_rank, self.kv_tokens)
        except (ValueError, FileNotFoundError) as error:
            raise ValueError(f"scenario {self.id!r}: {error}") from None

    def _check_workload(self) -> None:
        """Raise ValueError if there is no such workload, or keys of a trace are given with it."""
        for name in self.workload:
            workload_path(name)
        if (self.window_steps == 0) == (self.window_s is None):
            raise ValueError("give either window_steps or window_s")
        number = len(self.workload)
        if number > 2 or (number == 2 and self.change_window is None):
            raise ValueError(f"{number} workloads; give one, or two and change_window")
        without_effect = {
            "trace": self.trace,
            "consecutive_tokens (--step-tokens)": self.consecutive_tokens,
            "steps": self.steps,
            "layers": self.layers,
        }
        for name, value in without_effect.items():
            if value:
                raise ValueError(f"{name} is for traces; leave it out beside workload")
        if self.windows is not None:
            self.split_bounds(self.windows)

    def check_trace(self, trace: Any) -> None:
        """Raise ValueError unless trace or workload have the experts of the model."""
        noun = "workload" if self.workload else "trace"
        traffic = f"{noun} {', '.join(self.workload or self.trace)}"
        model = Model.preset(self.model)
        for name, recorded, expected in (
            ("experts", trace.num_experts, model.experts),
            ("top_k", trace.top_k, model.top_k),
        ):
            if recorded != expected:
                raise ValueError(
                    f"scenario {self.id!r}: the {traffic} has {name} = "
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
        """Names or paths of the hardware presets that price the scenario."""
        return self.model, self.device, self.fabric, self.library

    @property
    def _sequences_per_rank(self) -> float:
        """Sequences whose KV cache a rank holds: in decode those of the batch.

        Of a trace they are the tokens of a step, without drafts. In prefill the cache of a prompt
        goes elsewhere.
        """
        if self.phase != "decode":
            return 0.0
        if self.workload:
            return max(map(sequences, self.workload)) / self.num_ranks
        return (self.consecutive_tokens or 0) / self.num_ranks / (1 + self.drafts)

    def deployment(self, executor: StepExecutor) -> ExpertDeployment:
        """Return the ranks and slots of the experts, and the rules of rebalancing."""
        collectives = executor.collectives
        return ExpertDeployment(
            num_ranks=self.num_ranks,
            slots_per_rank=self.slots_per_rank,
            window_steps=self.window_steps,
            migration_bytes_per_s=self.migration_bytes_per_s or collectives.send_bytes_per_s(),
            ranks_per_node=collectives.fabric.ranks_per_node,
            expert_groups=collectives.model.expert_groups,
            history_windows=self.history_windows,
            dispatcher=self.dispatcher,
            forecaster=self.forecaster,
            objective=self.objective,
            max_moves=self.max_moves,
            migration_pause_s=self.migration_pause_s,
        )


@lru_cache(maxsize=4)
def fabric_of(name: str, num_ranks: int) -> Fabric:
    """Return a fabric preset over ``num_ranks`` ranks, cached: building one takes a while."""
    return Fabric.preset(name, num_ranks)
