"""A law's drift in simulated time: when it moves, that it does as the law, what is refused."""

import numpy as np
import pytest

from evaluation.serving.pricing.drifting_load import DriftingLoad
from traces import generators
from traces.generators import Law

LAW = Law(
    2,
    16,
    2,
    domains=2,
    affinity=1.0,
    skew=0.5,
    step_tokens=4000,
    drift_sigma=0.5,
    drift_steps=16.0,
    update_steps=4,
)


def share(load, tokens, draws=200):
    """Return [layers, experts] parts of the tokens that choose each expert."""
    random, tokens = np.random.default_rng(1), np.array(tokens, dtype=np.float64)
    whole = sum(load(tokens, random).astype(np.int64) for _ in range(draws))
    return whole / (draws * tokens.sum())


def test_it_stands_still_within_an_interval_and_drifts_beyond():
    """Intervals have update_steps steps of step_s seconds each."""
    load = DriftingLoad(LAW, step_s=0.5)
    before = load.chance()
    load.move_to(1.99)
    np.testing.assert_array_equal(load.chance(), before)
    load.move_to(2.0)
    assert np.abs(load.chance() - before).max() > 0.01
    np.testing.assert_allclose(load.chance().sum(axis=2), 2.0)


def test_what_it_draws_are_its_chances_of_the_domains_asked_for():
    """Tokens of a domain follow its own chances now, a mixture those of both."""
    load = DriftingLoad(LAW, step_s=1.0)
    for now_s in (0.0, 40.0):
        load.move_to(now_s)
        chance = load.chance()
        np.testing.assert_allclose(share(load, [2000, 0]), chance[0], atol=0.01)
        mixed = (300 * chance[0] + 900 * chance[1]) / 1200
        np.testing.assert_allclose(share(load, [300, 900]), mixed, atol=0.01)


def test_it_drifts_as_the_law_does():
    """Counts of the law's own steps, of one domain, are those that are drawn at that time."""
    alone = LAW.replace(mix=(1.0, 0.0))
    load = DriftingLoad(alone, step_s=1.0)
    load.move_to(21.0)
    counts = generators.trace(alone, 4, start=20).counts.sum(axis=0) / (4 * LAW.step_tokens)
    np.testing.assert_allclose(share(load, [4000, 0]), counts, atol=0.02)


def test_totals_are_exact_and_one_seed_gives_one_result():
    """Every token counts top_k times in each layer, none at all too, and skipped times no less."""
    one, two = DriftingLoad(LAW, 1.0), DriftingLoad(LAW, 1.0)
    for now_s in (1.0, 9.0, 50.0):
        one.move_to(now_s)
    two.move_to(50.0)
    for tokens in ([0, 0], [1, 0], [517, 3000]):
        given = np.array(tokens, dtype=np.float64)
        result = [load(given, np.random.default_rng(3)) for load in (one, two)]
        np.testing.assert_array_equal(*result)
        assert (result[0].sum(axis=1) == 2 * sum(tokens)).all()
    assert (one.num_layers, one.num_experts, one.top_k) == (2, 16, 2)
    assert one.domains == ("domain 0", "domain 1")


@pytest.mark.parametrize("step_s", [0.0, -1.0, np.inf, np.nan])
def test_a_step_without_length_is_refused(step_s):
    """Time must go on, and steps must end."""
    with pytest.raises(ValueError, match="breaks 0 < step_s < infinity"):
        DriftingLoad(LAW, step_s)


def test_what_is_wrong_is_named():
    """Names, tokens, and time that goes backwards."""
    with pytest.raises(ValueError, match="give 2 different ones"):
        DriftingLoad(LAW, 1.0, ("chat",))
    load = DriftingLoad(LAW, 1.0)
    load.move_to(8.0)
    with pytest.raises(ValueError, match=r"now_s = 1 < 8, which was reached before"):
        load.move_to(1.0)
    for tokens in ([1.0], [1.5, 2.0], [-1.0, 2.0]):
        with pytest.raises(ValueError, match="give whole numbers >= 0 for the domains domain 0, "):
            load(np.array(tokens), np.random.default_rng(0))
