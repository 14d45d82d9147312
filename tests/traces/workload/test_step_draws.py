"""Single steps of executors: their law is that of the routing, however steps follow each other."""

import numpy as np
import pytest

from tests.traces.workload.test_chance_counts import chances
from traces.generators import Law
from traces.tokens import TokenTrace
from traces.workload import ConditionRouting, LawRouting, RecordedRouting, TokenFilter
from traces.workload.even_routing import EvenRouting
from traces.workload.step_draws import SINGLE_TOKENS, StepRouting

STEPS = 2000
CHANCE = chances()
ROUTING = ConditionRouting(
    {TokenFilter(domain=name): CHANCE[:, number] for number, name in enumerate("abc")}, top_k=4
)


@pytest.mark.parametrize(
    "tokens", [[1, 0, 0], [3, 2, 1], [40, 20, 10], [SINGLE_TOKENS, 1, 0], [700, 10, 400]]
)
def test_mean_and_variance_are_those_of_independent_tokens(tokens):
    """Few tokens one by one, many at once: sums over conditions of n p and n p (1 - p)."""
    draws, random = StepRouting(ROUTING).draws(), np.random.default_rng(1)
    tokens = np.array(tokens)
    counts = np.stack([draws(tokens, 0.0, random) for _ in range(STEPS)])
    assert (counts.sum(axis=2) == 4 * tokens.sum()).all()
    assert (counts >= 0).all()
    assert (counts <= tokens.sum()).all()
    mean = (tokens[:, None] * CHANCE).sum(axis=1)
    variance = (tokens[:, None] * CHANCE * (1 - CHANCE)).sum(axis=1)
    deviation = (counts.mean(axis=0) - mean) / np.sqrt(variance / STEPS)
    assert np.abs(deviation).max() < 5
    assert (counts.var(axis=0) / variance).mean() == pytest.approx(1.0, abs=0.05)


def test_steps_of_changing_tokens_have_their_own_means():
    """Sums that are kept from step to step hold what each step has, over 3,000 changes."""
    draws, random = StepRouting(ROUTING).draws(), np.random.default_rng(1)
    tokens = np.random.default_rng(0).integers(300, 500, (3000, 3))
    tokens[1000:1050] = 0
    tokens[2000:2100, 1:] = 0
    error = np.stack(
        [
            draws(step, 0.0, random) - np.einsum("c,lce->le", step.astype(float), CHANCE)
            for step in tokens
        ]
    )
    assert (error[1000:1050] == 0).all()
    assert np.abs(error.mean(axis=0)).max() < 5 * np.sqrt(400 / 3000)
    late = error[2900:]
    assert np.abs(late.mean(axis=0)).max() < 5 * np.sqrt(400 / 100)


def test_executors_draw_apart_and_one_seed_gives_one_result():
    """What one executor draws between does not change the law of another; tokens are used once."""
    tokens = np.array([5, 5, 5])
    alone = [StepRouting(ROUTING).draws()(tokens, 0.0, np.random.default_rng(2)) for _ in range(2)]
    np.testing.assert_array_equal(*alone)
    routing, random = StepRouting(ROUTING), np.random.default_rng(3)
    pair = [routing.draws() for _ in range(2)]
    both = np.stack([[one(tokens, 0.0, random) for one in pair] for _ in range(STEPS)])
    first, second = (each - each.mean(axis=0) for each in both.transpose(1, 0, 2, 3))
    assert np.abs((first * second).mean(axis=0)).max() < 5 * 5 / np.sqrt(STEPS)


def test_certain_and_impossible_experts_are_exact():
    """An expert of chance 1 has all tokens, one of chance 0 none."""
    chance = np.zeros((40, 16))
    random = np.random.default_rng(0)
    for layer in range(40):  # in 40 orders of the experts, as layers have orders of their own
        chance[layer, random.permutation(16)[:4]] = 1.0, 0.25, 0.25, 0.5
    draws = StepRouting(ConditionRouting({TokenFilter(): chance}, top_k=2)).draws()
    for tokens in (1, 100, 1000):
        counts = draws(np.array([tokens]), 0.0, random)
        assert (counts[chance == 1.0] == tokens).all()
        assert (counts[chance == 0.0] == 0).all()


def test_a_law_drifts_with_time():
    """Within an interval it stands still; later its chances are those of its own timeline."""
    law = Law(2, 16, 2, skew=0.5, drift_sigma=0.5, drift_steps=16.0, update_steps=4)
    routing = StepRouting(LawRouting(law, law_step_s=0.5))
    draws, random = routing.draws(), np.random.default_rng(0)
    other = LawRouting(law, law_step_s=0.5).sampler()
    tokens, shares = np.array([1000]), []
    for time_s in (0.0, 1.99, 20.0):
        counts = sum(draws(tokens, time_s, random).astype(int) for _ in range(200)) / 2e5
        chance = other.chances(int(time_s // 2))[:, 0]
        np.testing.assert_allclose(counts, chance, atol=0.006)
        shares.append(counts)
    assert np.abs(shares[2] - shares[0]).max() > 0.05
    with pytest.raises(ValueError, match=r"time_s = 1 lies before an interval"):
        draws(tokens, 1.0, random)


def test_recorded_tokens_come_as_they_were_recorded():
    """A step of one token is a recorded token of its domain; many have its shares."""
    random = np.random.default_rng(0)
    experts = np.stack([np.sort(random.permutation(8)[:2]) for _ in range(60)]).reshape(20, 3, 2)
    recording = TokenTrace(experts, 8, "toy", sample_lengths=np.array([20]))
    draws = StepRouting(RecordedRouting({"mail": recording})).draws()
    counts = [draws(np.array([1]), 0.0, random) for _ in range(40)]
    one_hot = (experts[..., None] == np.arange(8)).any(axis=2)
    assert all((one_hot == count).all(axis=(1, 2)).any() for count in counts)
    many = draws(np.array([50_000]), 0.0, random) / 50_000
    np.testing.assert_allclose(many, one_hot.mean(axis=0), atol=0.012)


def test_even_experts_get_even_counts():
    """The remainder goes to the first experts."""
    counts = StepRouting(EvenRouting(2, 3, 2)).draws()(np.array([4]), 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(counts, [[3, 3, 2], [3, 3, 2]])


@pytest.mark.parametrize(
    ("tokens", "text"),
    [([1, 2], r"give \[3\]"), ([-1, 2, 3], "break 0 <= tokens"), ([2**30, 0, 0], r"2\*\*31")],
)
def test_tokens_that_do_not_fit_are_refused(tokens, text):
    """The error names the shape, the number or the bound."""
    with pytest.raises(ValueError, match=text):
        StepRouting(ROUTING).draws()(np.array(tokens), 0.0, np.random.default_rng(0))
