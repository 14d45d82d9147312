"""The price of a decode step of disaggregated MoE and attention."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.pricing.attention_table import AttentionTable
from evaluation.serving.pricing.expert_load import ExpertLoad
from evaluation.serving.pricing.experts import ExpertPricer
from evaluation.serving.pricing.noise import Noise, speeds
from evaluation.serving.pricing.options import DEFAULT_OPTIONS, PriceOptions
from evaluation.serving.pricing.placed_price import PlacedPrice
from evaluation.serving.pricing.work import Cost, Work
from evaluation.step.disaggregated import Disaggregated
from hardware import Fabric
from lb import Placement
from lb.kernel import kernel

Array = NDArray[np.float64]

#: Stages of a micro-batch in a layer, in order.
ATTENTION, A2E, EXPERTS, E2A = range(4)
#: Seconds of the draft layers of a step: xDeepServe's own term (arXiv:2508.02520, section 7.1).
DRAFTS_S = 5e-3
#: Token copies that slopes are measured over.
MANY = 1e6


class DisaggregatedPrice(PlacedPrice):
    """Prices decode steps of attention dies in DP domains that share expert dies.

    The pipeline of :meth:`evaluation.step.disaggregated.Disaggregated.run`, start by start, but its
    stages differ by domain and layer. The sequences of a die divide evenly over its micro-batches,
    and the copies of a step over its micro-batches by their domain's tokens: assumptions. A stage
    waits for the slowest die; A2E and E2A for the attention die with most tokens.

    Parameters
    ----------
    disaggregated
        The deployment; its ``kv_tokens`` is not used. The jitter's ``rank_speed`` is that of the
        expert dies.
    placement
        Over the expert dies; shared experts as in
        :class:`evaluation.serving.pricing.colocated.ColocatedPrice`.
    load
        Draws the experts of a step; its layers stand for all of the model's, in order.
    options
        Where ``drafts_s`` is ``None``, draft layers add 5 ms to a step.

    Attributes
    ----------
    groups
        Attention dies; those of a domain are consecutive.
    rank_speed
        [expert ranks] relative speeds; may be set while running.
    comm_slowdown
        As in :class:`evaluation.serving.pricing.colocated.ColocatedPrice`, on A2E and E2A.

    Raises
    ------
    ValueError
        If placement, load and deployment do not fit each other.
    """

    def __init__(
        self,
        disaggregated: Disaggregated,
        placement: Placement,
        load: ExpertLoad,
        options: PriceOptions = DEFAULT_OPTIONS,
    ) -> None:
        shape, dies = disaggregated, disaggregated.attention_ranks
        if placement.num_ranks != shape.expert_ranks:
            raise ValueError(
                f"the placement has {placement.num_ranks} ranks for {shape.expert_ranks} expert "
                "dies; place over as many"
            )
        self.operators, self.disaggregated = shape.operators, shape
        self.collectives = shape.collectives
        self.groups, self.host_s = shape.domains * dies, options.host_s
        drafts_s = DRAFTS_S if shape.drafts else 0.0
        self.drafts_s = drafts_s if options.drafts_s is None else options.drafts_s
        self.attention = AttentionTable(shape.operators, shape.drafts, 1)
        self.experts = ExpertPricer(
            shape.operators, placement, load, options.dispatcher, options.seed
        )
        self._noise = Noise(shape.jitter, options.seed)
        self._die, self._rank = np.arange(dies), np.arange(placement.num_ranks)
        self._attention_speed = np.ones((shape.domains, dies))
        self._link_slowdown = 1.0
        model = shape.operators.model
        shared = 0 if shape.operators.shared_local else model.shared_experts
        self._copies = model.top_k + shared
        self._layer = np.arange(model.layers) * load.num_layers // model.layers
        self._setup, self._slope = _transfer_lines(shape)
        self._stages = np.zeros((shape.domains, 4, model.layers))
        self._mean = np.zeros((shape.domains, 4, model.layers))
        self.rank_speed = None if shape.jitter is None else shape.jitter.rank_speed
        self._own_speed = self._speed
        self.comm_slowdown = 1.0

    def use_network(self, fabric: Fabric, kept: NDArray[np.int64], port_share: Array) -> None:
        """Let A2E and E2A run at the rate of the library, or of the port with least left if lower.

        Links are not priced one by one here; this is an assumption of ours.
        """
        library = self.collectives.library
        least = float(port_share[kept].min())
        left = least * fabric.port_bytes_per_s * fabric.figures.get("read_efficiency", 1.0)
        if library is None:
            self._link_slowdown = 1.0 / least
        else:
            pulls = (getattr(library, name) for name in ("dispatch", "combine"))
            fastest = max(rates["between_bytes_per_s"] for rates in pulls)
            self._link_slowdown = max(1.0, fastest / left)
        if least == 1.0:
            self._link_slowdown = 1.0

    def run_at(self, speed: Array, known: Array) -> None:
        """Let dies run at relative speeds, those of attention first; see :class:`PlacedPrice`."""
        attention = self._attention_speed
        attention[:] = speed[: attention.size].reshape(attention.shape)
        self.rank_speed = self._own_speed * speed[attention.size :]
        self.known_speed = self._own_speed * known[attention.size :]

    @property
    def rank_speed(self) -> Array:
        """[expert ranks] relative speeds."""
        return self._speed

    @rank_speed.setter
    def rank_speed(self, speed: Array | tuple[float, ...] | None) -> None:
        self._speed = speeds(speed, self.placement.num_ranks)

    def __call__(self, work: Work, /) -> Cost:
        """Return what a step costs.

        The parts of the cost: attention of one domain's micro-batches, the slowest domain's; and
        experts and communication of all micro-batches of all domains, which overlap.

        Raises
        ------
        ValueError
            If the work has prompts, other groups or domains, or an impossible number.
        """
        if len(work.sequences) != self.groups:
            raise ValueError(f"the work has {len(work.sequences)} groups, the price {self.groups}")
        if work.prefill_tokens.any():
            raise ValueError("the work has prompts; disaggregated attention decodes only")
        if not work.sequences.any():
            self.attention(work)  # checks
            return Cost(self.host_s, 0.0, 0.0, 0.0, 0.0, 0.0)
        batches = self._fill(work)
        total = float(_pipeline(self._stages, batches)) + self.host_s + self.drafts_s
        each = self._stages.sum(axis=2) * batches[:, None]
        mean = self._mean.sum(axis=2) * batches[:, None]
        attention = float(each[:, ATTENTION].max()), float(mean[:, ATTENTION].mean())
        experts = float(each[:, EXPERTS].sum()), float(mean[:, EXPERTS].sum())
        communication = float(each[:, A2E].sum() + each[:, E2A].sum())
        return Cost(total, *attention, *experts, communication)

    def _fill(self, work: Work) -> NDArray[np.int64]:
        """Fill the stages [domains, 4, layers]; return the micro-batches of every domain."""
        shape = self.disaggregated
        parts = shape.micro_batches
        part = Work(
            work.prefill_tokens,
            work.prefill_context,
            work.sequences / parts,
            work.decode_context / parts,
            work.condition_tokens,
            work.time_s,
        )
        seconds = self.attention(part)[0].reshape(shape.domains, -1)
        sequences = part.sequences.reshape(shape.domains, -1)
        counts = self.experts.draw(work)
        share = self.experts.split(counts)
        of_step = sequences.sum(axis=1) / work.sequences.sum()
        batches = np.where(of_step > 0, parts, 0)
        waits = np.empty((2, self._stages.shape[2]))
        expert_waits = np.empty((2, self.placement.num_layers))
        priced = -1.0
        for domain in range(shape.domains):
            if not batches[domain]:
                self._stages[domain] = self._mean[domain] = 0.0
                continue
            speed = self._attention_speed[domain]
            self._noise.barriers(seconds[domain][None], self._die, speed, waits)
            self._stages[domain, ATTENTION], self._mean[domain, ATTENTION] = waits
            # Domains of equal tokens have equal experts: price them once.
            if of_step[domain] != priced:
                priced = of_step[domain]
                self.experts.price(counts, share, priced)
            self._noise.barriers(self.experts.seconds, self._rank, self._speed, expert_waits)
            self._stages[domain, EXPERTS] = expert_waits[0][self._layer]
            self._mean[domain, EXPERTS] = expert_waits[1][self._layer]
            sent = sequences[domain].max() * self.attention.queries * self._copies
            data = self._slope * sent * self.comm_slowdown * self._link_slowdown
            self._stages[domain, A2E], self._stages[domain, E2A] = self._setup + data
        return batches


def _transfer_lines(shape: Disaggregated) -> tuple[Array, Array]:
    """Return [A2E, E2A] setup seconds, and seconds by token copy of the fullest attention die."""
    ranks = (shape.attention_ranks, shape.expert_ranks)
    setup, slope = np.empty((2, 2))
    for number, price in enumerate((shape.collectives.a2e_s, shape.collectives.e2a_s)):
        setup[number] = price(0.0, *ranks)
        slope[number] = (price(MANY, *ranks) - setup[number]) / MANY
    return setup, slope


@kernel
def _pipeline(stages: Array, batches: NDArray[np.int64]) -> float:
    """Return the end of :func:`schedulers.pipeline.schedule` for the streams of this deployment.

    Every micro-batch passes the four stages of each layer in order. Each stage occupies a stream:
    attention of its own domain, A2E, experts and E2A of all domains. The next stage to start is
    always the one that can start first; of equals, the one in the earlier layer.

    Parameters
    ----------
    stages
        [domains, 4, layers] seconds.
    batches
        [domains] micro-batches of each domain.
    """
    domains, kinds, layers = stages.shape
    owner = np.repeat(np.arange(domains), batches)
    ready = np.zeros(len(owner))
    done = np.zeros(len(owner), np.int64)
    # streams: attention of every domain, one unused, then A2E, experts and E2A
    free = np.zeros(domains + kinds)
    end = 0.0
    for _ in range(len(owner) * kinds * layers):
        first = -1
        start = np.inf
        for batch in range(len(owner)):
            if done[batch] == kinds * layers:
                continue
            kind = done[batch] % kinds
            stream = owner[batch] if kind == 0 else domains + kind
            could = max(ready[batch], free[stream])
            earlier = first >= 0 and done[batch] // kinds < done[first] // kinds
            if could < start or (could == start and earlier):
                first = batch
                start = could
        kind = done[first] % kinds
        stream = owner[first] if kind == 0 else domains + kind
        until = start + stages[owner[first], kind, done[first] // kinds]
        ready[first] = until
        free[stream] = until
        done[first] += 1
        end = max(end, until)
    return end
