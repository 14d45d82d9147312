"""Where expert counts come from: totals, shares by domain, names."""

import numpy as np
import pytest

from evaluation.serving.pricing.expert_load import UniformLoad, load_by_name, load_of_law
from traces import generators
from traces.generators import Law

LAW = Law(2, 16, 2, step_tokens=4096, domains=2, affinity=1.5, skew=0.0)


def test_uniform_counts_add_up():
    """The remainder goes to the first experts."""
    counts = UniformLoad(2, 3, 2)(np.array([4.0]), np.random.default_rng(0))
    np.testing.assert_array_equal(counts, [[3, 3, 2], [3, 3, 2]])


def test_a_law_follows_the_domains():
    """Tokens of a domain choose as the law's domain does; totals are exact; none gives none."""
    load, random = load_of_law(LAW, ("chat", "code")), np.random.default_rng(0)
    assert load.domains == ("chat", "code")
    assert (load.num_layers, load.num_experts, load.top_k) == (2, 16, 2)
    for number, mix in enumerate(np.eye(2)):
        expected = generators.trace(LAW.replace(mix=tuple(mix)), 64).counts.mean(axis=0)
        counts = np.mean([load(4096 * mix, random) for _ in range(50)], axis=0)
        np.testing.assert_allclose(counts, expected, rtol=0.1, atol=8, err_msg=str(number))
    for tokens in ([0, 0], [1, 0], [3, 1000]):
        assert (load(np.array(tokens, float), random).sum(axis=1) == 2 * sum(tokens)).all()


def test_names_stand_for_loads():
    """Bundled recordings under their own names or given ones."""
    names = ["dsv2lite-intent", "dsv2lite-translation"]
    load = load_by_name(names)
    assert load.domains == tuple(names)
    assert load_by_name(names, ("intent", "translation")).domains == ("intent", "translation")
    assert load(np.array([10.0, 5.0]), np.random.default_rng(0)).sum() == (
        15 * load.top_k * load.num_layers
    )


def test_wrong_names_are_refused():
    """As many as domains, all different."""
    with pytest.raises(ValueError, match="give 2 different ones"):
        load_of_law(LAW, ("chat",))
    with pytest.raises(ValueError, match="a different name for each"):
        load_by_name(["dsv2lite-intent", "dsv2lite-intent"])
