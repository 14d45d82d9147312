"""Expert-affinity features of requests distinguish domains."""

import numpy as np
import pytest

from evaluation.serving.engine.expert_affinity import ExpertAffinity
from evaluation.serving.engine.token_conditions import token_conditions
from traces import RequestTrace
from traces.workload import ConditionRouting, TokenFilter
from traces.workload.even_routing import EvenRouting

#: Four experts of one layer: domain "zero" chooses the first two, domain "one" the others.
TWO_DOMAINS = ConditionRouting(
    {
        TokenFilter(domain="zero"): np.array([[1.0, 1.0, 0.0, 0.0]]),
        TokenFilter(domain="one"): np.array([[0.0, 0.0, 1.0, 1.0]]),
    },
    top_k=2,
)


@pytest.fixture
def trace():
    """Three requests, the first and the last of one domain."""
    return RequestTrace(
        [0, 0, 0], [10, 20, 300], [1, 1, 1], domain=[0, 1, 0], domain_names=("zero", "one")
    )


def features_of(routing, trace, seed):
    """Return the features of requests of a trace."""
    return ExpertAffinity(routing, trace, token_conditions(routing, trace, [0]), seed)


def test_features_are_unit_vectors_by_domain(trace):
    """Prompts of one domain have the same direction, those of two domains share no expert."""
    features = features_of(TWO_DOMAINS, trace, 0)(np.arange(3))
    np.testing.assert_allclose(features @ features.T, [[1, 0, 1], [0, 1, 0], [1, 0, 1]], atol=1e-12)


@pytest.mark.parametrize("routing", [EvenRouting(2, 8, 2), TWO_DOMAINS])
def test_features_of_a_request_never_change(trace, routing):
    """They are drawn once, and by the seed and the request alone."""
    one, two = (features_of(routing, trace, 3) for _ in range(2))
    first = one.of(1)
    two.of(0)
    np.testing.assert_array_equal(first, one.of(1))
    np.testing.assert_array_equal(first, two.of(1))
