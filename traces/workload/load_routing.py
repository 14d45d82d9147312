"""Routing by a law of loads, whose popularity follows the phase and lengths of requests."""

from itertools import pairwise
from typing import Any

import numpy as np

from traces.generators.loads.condition import Condition
from traces.generators.loads.curve import Curve
from traces.generators.loads.law import LoadLaw
from traces.workload.condition_routing import ConditionRouting
from traces.workload.sequence_kinds import SequenceKinds
from traces.workload.token_filter import TokenFilter

#: Kinds of sequences of each condition; few will do, see :class:`SequenceKinds`.
KINDS = 8


def load_routing(
    law: LoadLaw,
    *,
    shortest: int = 64,
    longest: int = 32_768,
    bins_per_doubling: int = 2,
    kinds: SequenceKinds | None = None,
) -> ConditionRouting:
    """Return the routing of a law of loads.

    The loads of a phase depend on one length of the request, that of its curve. Requests are
    sorted into bins of that length, and have the loads of their bin's middle, the geometric mean
    of its edges. Shorter and longer ones are in the outermost bins. The law has no residual here.

    Parameters
    ----------
    law
        Loads by phase, lengths and domain.
    shortest, longest
        Lengths between which bins lie.
    bins_per_doubling
        Bins for each doubling of a length. Two keep loads within half of what two samples of
        requests under one condition differ by, for DeepSeek-R1.
    kinds
        How sequences of one condition differ; by default eight kinds that differ as the law says.

    Raises
    ------
    ValueError
        If the lengths or the number of bins are out of their range, or the law has no curves.
    """
    if not 1 <= shortest < longest or bins_per_doubling < 1:
        raise ValueError(
            f"shortest = {shortest}, longest = {longest}, bins_per_doubling = {bins_per_doubling} "
            "break 1 <= shortest < longest and bins_per_doubling >= 1"
        )
    if not law.curves:
        raise ValueError("the law has no curves, only recordings; give those of each condition")
    number = max(1, round(np.log2(longest / shortest) * bins_per_doubling))
    edges = [float(edge) for edge in np.geomspace(shortest, longest, number + 1)]
    chances: dict[TokenFilter, Any] = {}
    for curve in law.curves:
        domains = (curve.domain,) if curve.domain else (law.domains or (None,))
        for domain in domains:
            for token_filter, condition in _conditions(curve, domain, edges):
                chances.setdefault(token_filter, law.chance(condition))
    if kinds is None:
        correlation = law.sequence_correlation
        kinds = SequenceKinds(correlation, KINDS, law.seed) if correlation else SequenceKinds()
    return ConditionRouting(chances, law.top_k, law.model, kinds)


def _conditions(
    curve: Curve, domain: str | None, edges: list[float]
) -> list[tuple[TokenFilter, Condition]]:
    """Return which tokens have which loads of a curve."""
    if len(np.asarray(curve.knots)) == 1:
        return [(TokenFilter(domain, curve.phase), Condition(curve.phase, domain=domain))]
    bounds = pairwise((0.0, *edges[1:-1], np.inf))
    middles = [round(float(np.sqrt(low * high))) for low, high in pairwise(edges)]
    rows = []
    for between, middle in zip(bounds, middles, strict=True):
        token_filter = TokenFilter(domain, curve.phase, **{curve.axis: between})
        rows.append((token_filter, Condition(curve.phase, domain=domain, **{curve.axis: middle})))
    return rows
