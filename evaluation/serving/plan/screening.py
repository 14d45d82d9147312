"""The most that a deployment can reach, from the prices of steady steps instead of a simulation."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.assembly.executors import executor_shape
from evaluation.serving.assembly.pricing import start_placement, step_executor, step_price
from evaluation.serving.assembly.workload import CONDITIONS, check_requests
from evaluation.serving.engine.executor_setup import ExecutorShape
from evaluation.serving.engine.kv_memory import whole_blocks
from evaluation.serving.engine.token_conditions import token_conditions
from evaluation.serving.plan.service_bound import most_requests, most_value
from evaluation.serving.plan.span import ArrivalSpan
from evaluation.serving.pricing.colocated import ColocatedPrice
from evaluation.serving.pricing.disaggregated import DisaggregatedPrice
from evaluation.serving.pricing.work import Work
from evaluation.serving.scenario.deployment import ServingDeployment, executor_tables
from evaluation.serving.scenario.executor_table import ExecutorTable
from traces.requests import RequestTrace
from traces.workload.step_draws import StepRouting

Array = NDArray[np.float64]
Priced = tuple[ExecutorShape, ColocatedPrice | DisaggregatedPrice]
#: Number of steps whose mean approximates a steady step: each draws experts and jitter again.
DRAWS = 4
#: Halvings of the batch, which leave 0.4 % of the largest open, in favour of the deployment.
HALVINGS = 8
#: Parts of a full step of prefill that are tried; the fastest counts.
PREFILL_PARTS = (1.0, 0.5, 0.25)


@dataclass(frozen=True)
class Bound:
    """The most that a deployment can reach on a span of requests.

    Parameters
    ----------
    goodput
        Output tokens of requests that keep the SLO, a second of the span and chip.
    share
        Of the scored requests that can keep it.
    prefill_tokens_per_s, decode_tokens_per_s
        What all executors of a role carry in steady steps, decode at the pace of the SLO.
    why
        Reason for a ``share`` below 1; else empty.
    """

    goodput: float
    share: float
    prefill_tokens_per_s: float
    decode_tokens_per_s: float
    why: str = ""


class Screening:
    """Bounds the goodput of deployments on one span. Equal executors are priced once.

    Some assumptions favour the deployment: DP groups are equal and never idle, prompts fill steps
    and attend to nothing before them, and memory is needed for the mean context alone. Others take
    the mean: of expert load, jitter, context and accepted drafts; ``margin`` allows for these.
    :mod:`evaluation.serving.plan.service_bound` says which requests fit into the rates by their
    deadlines.

    Parameters
    ----------
    span
        The requests, and the scenario but for its deployment.
    seed
        Of expert load and placement.
    margin
        Relative slack: rates are taken this much higher than priced, and the SLO's pace this much
        longer.

    Raises
    ------
    ValueError
        If the margin is negative or not finite.
    """

    def __init__(self, span: ArrivalSpan, seed: int = 0, margin: float = 0.1) -> None:
        if not 0 <= margin < np.inf:
            raise ValueError(f"margin = {margin} breaks 0 <= margin < infinity")
        self.span, self.seed, self.margin = span, seed, margin
        trace, scored = span.trace, span.measured
        outputs = trace.output_tokens.astype(float)
        decoded = outputs - 1  # prefill makes the first token
        # A sequence is in the batch as long as it generates, so long answers weigh more.
        context = decoded * (trace.prompt_tokens + outputs / 2)
        self.context = float(context.sum() / max(decoded.sum(), 1.0))
        conditions = token_conditions(span.routing, trace, [seed, CONDITIONS])
        self._mixtures = {}
        for phase in ("prefill", "decode"):
            tokens = conditions.of_requests(trace, phase)
            self._mixtures[phase] = tokens / tokens.sum()
        self._routing = StepRouting(span.routing)
        self._arrival, self._deadline = trace.arrival_s[scored], span.deadline_s[scored]
        self._prompts, self._decoded = own_prompt_tokens(trace)[scored], decoded[scored]
        self._outputs = outputs[scored]
        self._prices: dict[ExecutorTable, Priced] = {}
        self._rates: dict[ExecutorTable, float] = {}

    def __call__(self, deployment: ServingDeployment) -> Bound:
        """Return the most that a deployment can reach.

        Raises
        ------
        ValueError
            If dies do not fit each other, or weights or a request do not fit memory.
        """
        served = deployment.serve(self.span.scenario)
        prefill, decode = executor_tables(served)
        shapes = [self._priced(table)[0] for table in (prefill, decode)]
        check_requests(self.span.trace, shapes)
        prompts = prefill.count * self._prefill_rate(prefill) * (1 + self.margin)
        tokens = decode.count * self._decode_rate(decode) * (1 + self.margin)
        first_by = self._arrival + served.ttft_s
        works = {
            "prefill": (self._prompts, self._arrival, first_by, prompts),
            "decode": (self._decoded, self._arrival, self._deadline, tokens),
        }
        counts = {role: most_requests(*work) for role, work in works.items()}
        short = min(counts, key=lambda role: counts[role])
        share = counts[short] / len(self._arrival)
        good = min(
            most_value(work, self._outputs, release, due, rate)
            for work, release, due, rate in works.values()
        )
        span_s, chips = self.span.span_s, deployment.chips(served)
        goodput = good / span_s / chips if span_s else np.inf  # of a burst: until it ends
        why = f"{short} carries {works[short][-1]:,.0f} tokens/s at the SLO's pace at most"
        return Bound(goodput, share, prompts, tokens, why if share < 1 else "")

    def _prefill_rate(self, table: ExecutorTable) -> float:
        """Return the prompt tokens per second of one prefill executor."""
        key = replace(table, count=1)
        if key not in self._rates:
            nothing = np.zeros(table.groups)
            parts = [max(1.0, part * table.step_tokens) for part in PREFILL_PARTS]
            rates = []
            for tokens in parts:
                each = np.full(table.groups, tokens)
                work = (each, each * 0.5, nothing, nothing)
                step_s = self._step_s(table, work, "prefill", each.sum())
                rates.append(table.groups * tokens / step_s)
            self._rates[key] = max(rates)
        return self._rates[key]

    def _decode_rate(self, table: ExecutorTable) -> float:
        """Return the tokens per second of one decode executor in steps that the SLO allows.

        Sequences that keep the SLO run in steps of ``tpot_s`` times their tokens a step on average,
        and no step makes more than one token and every draft. A step is a fixed time and more by
        sequence, so that steps of one size make the most tokens in that time.
        """
        shape, _ = self._priced(table)
        blocks = whole_blocks(int(self.context) + 1, shape.block_tokens)
        paced = self._paced(table, shape.kv_capacity / blocks)
        sequences = min(float(table.batch_limit), paced)
        if not sequences:
            return 0.0
        step_s = self._sequences_s(table, sequences)
        return table.groups * sequences * tokens_a_step(table) / step_s

    def _paced(self, table: ExecutorTable, most: float) -> float:
        """Return the most sequences of a DP group, up to ``most``, that still keep the pace."""
        key = replace(table, count=1, batch_limit=1)
        if key not in self._rates:
            limit_s = self.span.scenario.tpot_s * (1 + table.drafts) * (1 + self.margin)
            enough, much = 0.0, most
            if self._sequences_s(table, most) <= limit_s:
                enough = most
            else:
                for _ in range(HALVINGS):
                    middle = (enough + much) / 2
                    if self._sequences_s(table, middle) <= limit_s:
                        enough = middle
                    else:
                        much = middle
            self._rates[key] = much if enough else 0.0
        return self._rates[key]

    def _sequences_s(self, table: ExecutorTable, sequences: float) -> float:
        """Return the seconds of a decode step with this number of sequences in each DP group."""
        nothing = np.zeros(table.groups)
        each = np.full(table.groups, sequences)
        queries = each.sum() * (1 + table.drafts)
        work = (nothing, nothing, each, each * self.context)
        return self._step_s(table, work, "decode", queries)

    def _step_s(
        self,
        table: ExecutorTable,
        groups: tuple[Array, Array, Array, Array],
        phase: str,
        queries: float,
    ) -> float:
        _, price = self._priced(table)
        tokens = np.round(queries * self._mixtures[phase]).astype(np.int64)
        work = Work(*groups, tokens)
        return float(np.mean([price(work).total for _ in range(DRAWS)]))

    def _priced(self, table: ExecutorTable) -> Priced:
        key = replace(table, count=1, batch_limit=1)
        if key not in self._prices:
            scenario, routing = self.span.scenario, self._routing
            pricer = step_executor(scenario, table)
            shared = 0 if scenario.shared_local else pricer.operators.model.shared_experts
            experts = routing.model.num_experts + shared
            slots = table.slots_per_rank or -(-experts // table.expert_dies)
            shape = executor_shape(table.role, scenario, table, pricer, slots)
            placement = start_placement(table, routing, self.span.trace, self.seed, shared)
            price = step_price(table, pricer, placement, routing, self.seed)
            self._prices[key] = shape, price
        return self._prices[key]


def tokens_a_step(table: ExecutorTable) -> float:
    """Return the mean tokens of a sequence in a step: 1 + a + a² + …, a term more a draft."""
    return float(sum(table.acceptance**position for position in range(table.drafts + 1)))


def own_prompt_tokens(trace: RequestTrace) -> Array:
    """Return [requests] the prompt tokens that no prefix cache can spare, however large it is.

    Those outside the blocks that another request has too; at least one, as the last token of a
    prompt is computed in any case.
    """
    prompts = trace.prompt_tokens.astype(float)
    if trace.prefix_hashes is None or trace.prefix_blocks is None or trace.block_tokens is None:
        return prompts
    _, which, times = np.unique(trace.prefix_hashes, return_inverse=True, return_counts=True)
    request = np.repeat(np.arange(len(prompts)), trace.prefix_blocks)
    shared = np.bincount(request, times[which.ravel()] > 1, minlength=len(prompts))
    own: Array = np.maximum(prompts - shared * trace.block_tokens, 1.0)
    return own
