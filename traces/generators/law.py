"""A law of routing: what to make, as a frozen record of parameters; same seed, same trace."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces.generators.law_checks import check
from traces.routing import RoutingTrace
from traces.tokens import TokenTrace

ARRAYS = ("logits", "bias", "layer_variation")


@dataclass(frozen=True, eq=False, repr=False)
class Law:
    """How experts are chosen, step by step; every parameter but the shape may be left out.

    A token of domain d adds Gumbel noise to the logits of d in each layer and takes the top k. The
    logits are the popularity of the experts, plus the domain's own affinities, plus what has
    drifted. They are brought up to date every ``update_steps`` steps and stand still between.

    Parameters
    ----------
    layers, experts
        MoE layers, and logical experts of each.
    top_k
        Experts that a token chooses in one layer.
    model
        Name of the model.
    step_tokens
        Tokens of a decode step.
    prefill_tokens, prefill_share
        Tokens of a prefill step, and the share of steps that are such, at random.
    phase
        What traces say of themselves; by default what ``prefill_share`` implies.
    popularity, skew
        Law of the base logits: "zipf" (``skew`` is the exponent), "lognormal" (deviation of the
        logits) or "dirichlet" (concentration of each expert; small is skewed).
    logits
        Measured base logits, [layers, experts] or [domains, layers, experts], instead.
    domains
        Kinds of text that tokens come from.
    affinity
        Standard deviation of each domain's own logits, on top of the base.
    mix
        Long-run share of each domain in the tokens; equal by default.
    mix_sigma, mix_steps
        The logarithms of the shares wander: standard deviation, and steps after which their
        correlation has fallen to 1/e (Ornstein–Uhlenbeck).
    schedule
        Stretches ``(steps, mix)`` that follow each other for ever, instead of ``mix``.
    drift_sigma, drift_steps
        The same for the logits of every expert: slow drift.
    shift_every, shift_share
        Mean steps between abrupt shifts (0: none), at which this share of the experts of each layer
        change places with one another.
    burst_every, burst_steps, burst_factor
        Mean steps between bursts (0: none) of a domain picked at random, their mean length, and
        what they multiply that domain's odds with.
    noise
        Coefficient of variation of an expert's weight from step to step, on top of what drawing
        tokens brings: tokens of one step are alike.
    steadiness
        How much less the popular experts drift and vary: both deviations are multiplied with
        ``(chance / mean chance) ** -steadiness``, at most 4.
    layer_variation
        [layers] factors on both deviations, too.
    layer_correlation
        Between neighbouring layers, of the same expert id, in [0, 1): of popularity, affinities,
        drift, and of the noise of a token (normal scores). Ids are arbitrary, so that it is no
        loss to let the like ones carry the same id.
    groups, groups_kept
        Group-limited routing of DeepSeek-V3 (arXiv:2412.19437): experts of the ``groups_kept``
        groups whose two best scores add up to most compete, the others do not.
    bias
        [layers, experts] added to the sigmoid scores for the choice alone (the same paper).
    update_steps
        Steps between updates of logits and shares.
    seed
        Of everything that is random.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or two do not fit each other.

    Examples
    --------
    >>> law = Law(layers=1, experts=4, top_k=1, step_tokens=100, skew=0.0)
    >>> law.trace(2).counts.sum(axis=2).tolist()
    [[100], [100]]
    """

    layers: int
    experts: int
    top_k: int
    model: str = "generated"
    step_tokens: int = 65_536
    prefill_tokens: int = 65_536
    prefill_share: float = 0.0
    phase: str | None = None
    popularity: str = "zipf"
    skew: float = 0.5
    logits: ArrayLike | None = None
    domains: int = 1
    affinity: float = 0.0
    mix: tuple[float, ...] | None = None
    mix_sigma: float = 0.0
    mix_steps: float = 4096.0
    schedule: tuple[tuple[int, tuple[float, ...]], ...] | None = None
    drift_sigma: float = 0.0
    drift_steps: float = 4096.0
    shift_every: float = 0.0
    shift_share: float = 1.0
    burst_every: float = 0.0
    burst_steps: float = 512.0
    burst_factor: float = 8.0
    noise: float = 0.0
    steadiness: float = 0.0
    layer_variation: ArrayLike | None = None
    layer_correlation: float = 0.0
    groups: int = 1
    groups_kept: int = 1
    bias: ArrayLike | None = None
    update_steps: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ARRAYS:
            given = getattr(self, name)
            if given is not None:
                array = np.array(given, dtype=np.float64)
                array.flags.writeable = False
                object.__setattr__(self, name, array)
        check(self)

    @property
    def trace_phase(self) -> str:
        """What the traces say of themselves."""
        return self.phase or {0.0: "decode", 1.0: "prefill"}.get(self.prefill_share, "mixed")

    def counts(
        self, steps: int, *, start: int = 0, block_steps: int | None = None
    ) -> Iterator[RoutingTrace]:
        """Yield the counts of steps ``start`` to ``start + steps``, piece by piece.

        Totals are exact: ``step_tokens * top_k`` in every step and layer. The mean of a count is
        that of independent tokens with the chances of :func:`traces.generators.inclusion.inclusion`
        and so is its variance, plus ``noise``. Counts with a mean below 16 are drawn from the
        binomial law (negative binomial with noise) by inversion, others from the normal law
        corrected for skewness; both are then conditioned on the total, which keeps mean and
        variance within a few per cent for a dozen experts and more, and is rough for two or three.
        Group-limited routing enters by its chances, estimated once from 2,048 tokens a layer and
        domain. That neighbouring layers of a token are correlated does not enter.

        Parameters
        ----------
        steps
            How many.
        start
            The first; what comes before is passed over, which takes a little time.
        block_steps
            Steps of a piece; by default about 2 million counts. It changes no count.

        Raises
        ------
        ValueError
            If ``steps`` or ``block_steps`` is below 1, or ``start`` below 0.
        """
        from traces.generators.count_pieces import count_pieces

        return count_pieces(self, steps, start, block_steps)

    def tokens(
        self, steps: int, *, start: int = 0, block_steps: int | None = None
    ) -> Iterator[TokenTrace]:
        """Yield the same law token by token; parameters and errors as for :meth:`counts`.

        Every token takes its top k of noisy scores, in groups where there are any: nothing is
        approximate but that Gumbel noise has 32 random bits, 16 with ``layer_correlation``. Steps
        are numbered from the trace's beginning. A piece has by default about 2 million choices.
        """
        from traces.generators.token_pieces import token_pieces

        return token_pieces(self, steps, start, block_steps)

    def trace(self, steps: int, *, start: int = 0) -> RoutingTrace:
        """Return counts in one piece."""
        (piece,) = self.counts(steps, start=start, block_steps=steps)
        return piece

    def replace(self, **changes: Any) -> "Law":
        """Return a copy with other parameters."""
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """Return what differs from the defaults, as numbers, text and lists."""
        from traces.generators.law_file import as_dict

        return as_dict(self)

    @staticmethod
    def from_dict(fields: Mapping[str, Any]) -> "Law":
        """Return the law of :meth:`as_dict`; ValueError if a field is unknown or missing."""
        from traces.generators.law_file import from_dict

        return from_dict(fields)

    def save(self, path: str | Path) -> None:
        """Write a TOML file, whole or not at all."""
        from traces.generators.law_file import save

        save(self, path)

    @staticmethod
    def load(path: str | Path) -> "Law":
        """Read a TOML file; ValueError naming it if it holds no law."""
        from traces.generators.law_file import load

        return load(path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Law) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash((self.layers, self.experts, self.top_k, self.model, self.seed))

    def __repr__(self) -> str:
        fields = {
            name: f"<{np.shape(value)}>" if name in ARRAYS else repr(value)
            for name, value in self.as_dict().items()
        }
        return f"Law({', '.join(f'{name}={text}' for name, text in fields.items())})"


def array_of(values: ArrayLike) -> NDArray[np.float64]:
    """Return an array field as what it is once the law is made."""
    return np.asarray(values, np.float64)
