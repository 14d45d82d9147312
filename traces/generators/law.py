"""The parameters of generated routing, as a frozen record: equal laws give equal traces."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from traces.generators.law_checks import check

ARRAYS = ("logits", "bias", "layer_variation")


@dataclass(frozen=True, eq=False, repr=False)
class Law:
    """A routing model: how tokens choose experts, step by step.

    Only the shape must be given. :func:`traces.generators.counts`,
    :func:`traces.generators.tokens` and :func:`traces.generators.trace` generate from it, and
    :func:`traces.generators.save` writes it to a file.

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
        Phase that generated traces state; by default what ``prefill_share`` implies.
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
        Random seed.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or two do not fit each other.

    Examples
    --------
    >>> from traces.generators import trace
    >>> law = Law(layers=1, experts=4, top_k=1, step_tokens=100, skew=0.0)
    >>> trace(law, 2).counts.sum(axis=2).tolist()
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
            values = getattr(self, name)
            if values is not None:
                array = np.array(values, dtype=np.float64)
                array.flags.writeable = False
                object.__setattr__(self, name, array)
        check(self)

    @property
    def trace_phase(self) -> str:
        """Phase that generated traces state."""
        return self.phase or {0.0: "decode", 1.0: "prefill"}.get(self.prefill_share, "mixed")

    def replace(self, **changes: Any) -> "Law":
        """Return a copy with other parameters."""
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """Return the parameters that differ from their defaults, as numbers, text and lists."""
        values: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not field.default and not _same(value, field.default):
                values[field.name] = _plain(value)
        return values

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "Law":
        """Return the law of :meth:`as_dict`.

        Raises
        ------
        ValueError
            If a parameter is unknown, missing or out of its range.
        """
        known = {field.name: field for field in fields(Law)}
        for name in values:
            if name not in known:
                raise ValueError(f"{name} is not a field of a law; there are {', '.join(known)}")
        for name, field in known.items():
            if field.default is MISSING and name not in values:
                raise ValueError(f"{name} is missing; every law has one")
        arguments = dict(values)
        try:
            if arguments.get("mix") is not None:
                arguments["mix"] = tuple(arguments["mix"])
            if arguments.get("schedule") is not None:
                stretches = arguments["schedule"]
                arguments["schedule"] = tuple((steps, tuple(mix)) for steps, mix in stretches)
            return Law(**arguments)
        except TypeError as error:
            raise ValueError(f"a field has the wrong form: {error}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Law) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash((self.layers, self.experts, self.top_k, self.model, self.seed))

    def __repr__(self) -> str:
        texts = {
            name: f"<{np.shape(value)}>" if name in ARRAYS else repr(value)
            for name, value in self.as_dict().items()
        }
        return f"Law({', '.join(f'{name}={text}' for name, text in texts.items())})"


def _same(value: Any, default: Any) -> bool:
    return type(value) in (int, float, str) and bool(value == default)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    return value
