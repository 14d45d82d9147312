"""Expert-affinity features of requests distinguish domains."""

import numpy as np
import pytest

from evaluation.serving.engine.expert_affinity import ExpertAffinity
from evaluation.serving.pricing.expert_load import UniformLoad
from traces import RequestTrace


class TwoDomains:
    """Four experts of one layer: domain 0 chooses the first two, domain 1 the others."""

    domains = ("zero", "one")

    def __call__(self, tokens, random):
        """Return [1, 4] tokens of each expert."""
        return np.array([[tokens[0], tokens[0], tokens[1], tokens[1]]])


@pytest.fixture
def trace():
    """Three requests, the first and the last of one domain."""
    return RequestTrace(
        [0, 0, 0], [10, 20, 300], [1, 1, 1], domain=[0, 1, 0], domain_names=("zero", "one")
    )


def test_features_are_unit_vectors_by_domain(trace):
    """Prompts of one domain have the same direction, those of two domains share no expert."""
    features = ExpertAffinity(TwoDomains(), trace, 0)(np.arange(3))
    np.testing.assert_allclose(features @ features.T, [[1, 0, 1], [0, 1, 0], [1, 0, 1]], atol=1e-12)


def test_features_of_a_request_never_change():
    """They are drawn once, and by the seed and the request alone."""
    trace = RequestTrace([0, 0], [10, 20], [1, 1])
    one, two = (ExpertAffinity(UniformLoad(2, 8, 2), trace, 3) for _ in range(2))
    first = one.of(1)
    two.of(0)
    np.testing.assert_array_equal(first, one.of(1))
    np.testing.assert_array_equal(first, two.of(1))
