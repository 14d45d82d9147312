"""Laws: totals, seeds, blocks, bad parameters, and what each parameter does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traces import generators
from traces.generators import Law
from traces.generators.measures import autocorrelation, hottest_over_mean, moved_next
from traces.generators.selection_probabilities import _effective

SMALL = {"layers": 3, "experts": 16, "top_k": 2, "step_tokens": 500, "update_steps": 4}


def small(**changes):
    """Return a small law, a few parameters changed."""
    return Law(**(SMALL | changes))


def shares(law, steps=200):
    """Return [steps, layers, experts] shares, each layer adding up to 1."""
    counts = generators.trace(law, steps).counts
    return counts / counts.sum(axis=2, keepdims=True)


LAWS = st.builds(
    Law,
    layers=st.integers(1, 3),
    experts=st.sampled_from([4, 8, 12]),
    top_k=st.integers(1, 2),
    step_tokens=st.sampled_from([1, 7, 300, 20_000]),
    prefill_tokens=st.just(900),
    prefill_share=st.sampled_from([0.0, 0.3, 1.0]),
    popularity=st.sampled_from(["zipf", "lognormal", "dirichlet"]),
    skew=st.floats(0.01, 4.0),
    domains=st.integers(1, 3),
    affinity=st.sampled_from([0.0, 1.0]),
    mix_sigma=st.sampled_from([0.0, 0.5]),
    drift_sigma=st.sampled_from([0.0, 0.5]),
    shift_every=st.sampled_from([0.0, 5.0]),
    burst_every=st.sampled_from([0.0, 5.0]),
    noise=st.sampled_from([0.0, 0.8]),
    steadiness=st.sampled_from([0.0, 0.5]),
    layer_correlation=st.sampled_from([0.0, 0.7]),
    groups=st.sampled_from([1, 2]),
    update_steps=st.integers(1, 7),
    seed=st.integers(0, 2**40),
)


@settings(max_examples=40, deadline=None)
@given(law=LAWS, steps=st.integers(1, 12), block=st.integers(1, 5), start=st.integers(0, 9))
def test_counts_are_whole_whatever_the_blocks(law, steps, block, start):
    """None is negative or above the tokens, totals are exact, and no block size changes any."""
    whole = generators.trace(law, start + steps)
    assert whole.counts.min() >= 0
    assert (whole.counts <= whole.step_tokens[:, None, None]).all()
    totals = np.broadcast_to(law.top_k * whole.step_tokens[:, None], whole.counts.shape[:2])
    assert (whole.counts.sum(axis=2) == totals).all()
    pieces = list(generators.counts(law, steps, start=start, block_steps=block))
    assert max(piece.num_steps for piece in pieces) <= block
    assert (np.concatenate([piece.counts for piece in pieces]) == whole.counts[start:]).all()


@settings(max_examples=15, deadline=None)
@given(law=LAWS, block=st.integers(1, 5), start=st.integers(0, 5))
def test_tokens_are_whole_whatever_the_blocks(law, block, start):
    """Tokens of each step are as stated, numbered from the beginning, and blocks change none."""
    law = law.replace(step_tokens=min(law.step_tokens, 300), prefill_tokens=400)
    (whole,) = generators.tokens(law, start + 6, block_steps=99)
    pieces = list(generators.tokens(law, 6, start=start, block_steps=block))
    together = np.concatenate([piece.experts for piece in pieces])
    assert (together == whole.experts[whole.step >= start]).all()
    steps = np.concatenate([piece.step for piece in pieces])
    assert (steps == whole.step[whole.step >= start]).all()
    assert (np.bincount(whole.step) == generators.trace(law, start + 6).step_tokens).all()


def test_seeds():
    """Equal seeds give equal traces, others do not; equal laws are equal."""
    assert generators.trace(small(), 3).content_hash == generators.trace(small(), 3).content_hash
    assert (
        generators.trace(small(), 3).content_hash != generators.trace(small(seed=1), 3).content_hash
    )
    assert small() == small()
    assert hash(small()) == hash(small())
    assert small() != small(seed=1)


def test_a_trace_says_what_it_is():
    """Model, phase and law are in the header and the provenance."""
    assert generators.trace(small(), 1).phase == "decode"
    assert generators.trace(small(prefill_share=1.0), 1).phase == "prefill"
    assert generators.trace(small(prefill_share=0.5), 1).phase == "mixed"
    trace = generators.trace(small(phase="unknown", model="toy"), 1)
    assert (trace.phase, trace.model, trace.top_k) == ("unknown", "toy", 2)
    assert "step_tokens=500" in trace.provenance["law"]


@pytest.mark.parametrize("popularity", ["zipf", "lognormal"])
def test_skew_makes_the_hottest_hotter(popularity):
    """From uniform at 0 on."""
    found = [
        hottest_over_mean(shares(small(popularity=popularity, skew=skew, step_tokens=50_000), 4))
        for skew in (0.0, 0.5, 1.0)
    ]
    assert found[0] < 1.1 < found[1] < found[2]


def test_a_small_dirichlet_concentration_is_skewed():
    """The smaller, the hotter the hottest."""
    found = [
        hottest_over_mean(shares(small(popularity="dirichlet", skew=skew), 4))
        for skew in (10.0, 0.3, 0.01)
    ]
    assert found[0] < found[1] < found[2]


def test_measured_logits_are_followed():
    """Weights of 3 to 1 with one choice a token give shares of 3 to 1."""
    law = Law(1, 2, 1, step_tokens=100_000, logits=np.log([[3.0, 1.0]]))
    assert shares(law, 4).mean(axis=0)[0, 0] == pytest.approx(0.75, abs=0.005)


def test_a_schedule_is_followed_for_ever():
    """Two domains that each want one expert follow each other, three steps and one."""
    logits = np.log([[[1.0, 1e-9]], [[1e-9, 1.0]]])
    schedule = ((3, (1.0, 0.0)), (1, (0.0, 1.0)))
    law = Law(1, 2, 1, domains=2, logits=logits, schedule=schedule, update_steps=1, step_tokens=9)
    assert generators.trace(law, 8).counts[:, 0, 1].tolist() == [0, 0, 0, 9, 0, 0, 0, 9]


def test_mix_is_the_share_of_the_tokens():
    """A quarter of the tokens is of the second domain."""
    logits = np.log([[[1.0, 1e-9]], [[1e-9, 1.0]]])
    law = Law(1, 2, 1, domains=2, logits=logits, mix=(3, 1), step_tokens=100_000)
    assert shares(law, 9)[:, 0, 1].mean() == pytest.approx(0.25, abs=0.005)


def test_drift_moves_the_load_for_about_its_length():
    """Without it shares differ by the drawing alone; longer drift is remembered for longer."""
    quiet, fast, slow = (
        shares(small(step_tokens=200_000, update_steps=1, drift_sigma=sigma, drift_steps=length))
        for sigma, length in ((0.0, 1.0), (0.5, 2.0), (0.5, 20.0))
    )
    assert moved_next(quiet) < 0.01 < moved_next(slow) < moved_next(fast)
    assert autocorrelation(fast) < 0.8 < autocorrelation(slow)


def test_drift_has_its_deviation_and_its_correlation():
    """Logits of single choices: deviation 0.3, and exp(-1/4) from step to step."""
    law = Law(8, 64, 1, step_tokens=10**8, update_steps=1, drift_sigma=0.3, drift_steps=4.0, skew=0)
    logits = np.log(shares(law, 600))
    logits -= logits.mean(axis=2, keepdims=True)
    assert logits.std() == pytest.approx(0.3, rel=0.05)
    assert autocorrelation(np.exp(logits)) == pytest.approx(np.exp(-0.25), abs=0.03)


def test_steady_experts_drift_less():
    """With steadiness 1 the popular ones' deviations are smaller, without it they are not."""

    def ratio(steadiness):
        law = Law(
            4,
            32,
            1,
            step_tokens=10**7,
            skew=0.8,
            update_steps=1,
            drift_sigma=0.1,
            drift_steps=2.0,
            steadiness=steadiness,
        )
        found = shares(law, 300)
        deviation = np.log(found).std(axis=0)
        hot = found.mean(axis=0) > 1 / 32
        return deviation[hot].mean() / deviation[~hot].mean()

    assert ratio(1.0) < 0.7 < 0.9 < ratio(0.0)


def test_layer_variation_scales_drift_layer_by_layer():
    """A layer with factor 0 stands still."""
    law = small(
        layers=2,
        step_tokens=10**6,
        drift_sigma=0.5,
        drift_steps=5.0,
        update_steps=1,
        layer_variation=[0.0, 1.0],
    )
    still, moving = np.log(shares(law, 60)).std(axis=0).mean(axis=1)
    assert still < 0.05 < moving


def test_shifts_come_about_as_often_as_stated_and_keep_the_skew():
    """Every 20 steps on average; the sorted loads stay what they were."""
    law = small(step_tokens=10**6, update_steps=1, shift_every=20.0, skew=1.0)
    found = shares(law, 1000)
    jumps = (np.abs(np.diff(found, axis=0)).sum(axis=(1, 2)) > 0.1).sum()
    assert 30 <= jumps <= 70
    ordered = np.sort(found, axis=2)
    assert np.allclose(ordered[0], ordered[-1], atol=0.01)


def test_a_burst_raises_one_domain_for_a_while():
    """Odds of 1 to 1 become 20 to 1, at times and not always."""
    logits = np.log([[[1.0, 1e-9]], [[1e-9, 1.0]]])
    law = Law(
        1,
        2,
        1,
        domains=2,
        logits=logits,
        burst_every=40.0,
        burst_steps=10.0,
        burst_factor=20.0,
        update_steps=1,
        step_tokens=10_000,
    )
    share = shares(law, 2000)[:, 0, 0]
    calm, raised = np.abs(share - 0.5) < 0.03, np.abs(share - 20 / 21) < 0.03
    lowered = np.abs(share - 1 / 21) < 0.03
    assert (calm | raised | lowered).all()
    assert 0.05 < raised.mean() < 0.25
    assert 0.05 < lowered.mean() < 0.25


def test_shares_of_domains_wander():
    """Their logarithms have the stated deviation: log odds of two, that times root two."""
    logits = np.log([[[1.0, 1e-9]], [[1e-9, 1.0]]])
    law = Law(
        1,
        2,
        1,
        domains=2,
        logits=logits,
        mix_sigma=0.5,
        mix_steps=3.0,
        update_steps=1,
        step_tokens=10**7,
    )
    share = shares(law, 3000)[:, 0, 0]
    assert np.log(share / (1 - share)).std() == pytest.approx(0.5 * np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("part", ["popularity", "drift"])
def test_neighbouring_layers_are_correlated(part):
    """Popularity and drift of one expert id, from layer to layer and squared over two."""
    change = {"popularity": {"skew": 1.0}, "drift": {"skew": 0.0, "drift_sigma": 0.3}}[part]
    law = Law(
        3,
        4096,
        1,
        popularity="lognormal",
        layer_correlation=0.8,
        step_tokens=10**9,
        update_steps=1,
        **change,
    )
    logits = np.log(np.maximum(shares(law, 1)[0], 1e-12))
    assert np.corrcoef(logits[0], logits[1])[0, 1] == pytest.approx(0.8, abs=0.04)
    assert np.corrcoef(logits[0], logits[2])[0, 1] == pytest.approx(0.64, abs=0.05)


def test_prefill_steps_have_their_tokens():
    """About a third of the steps, as stated, with many tokens; the others have few."""
    tokens = generators.trace(
        small(step_tokens=10, prefill_tokens=1000, prefill_share=1 / 3), 900
    ).step_tokens
    assert set(tokens.tolist()) == {10, 1000}
    assert (tokens == 1000).mean() == pytest.approx(1 / 3, abs=0.06)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 0}, "layers = 0 < 1"),
        ({"experts": 2.5}, "experts = 2.5 is not an integer"),
        ({"top_k": 17}, "top_k = 17 is outside 1 <= top_k <= 16"),
        ({"experts": 70_000}, "experts = 70000 > 65536"),
        ({"step_tokens": 2**31}, "give fewer tokens a step"),
        ({"popularity": "power"}, "popularity = 'power' is not one of zipf"),
        ({"popularity": "dirichlet", "skew": 0.0}, "skew = 0.0 < 0.001"),
        ({"skew": -1.0}, "skew = -1.0 is outside 0 <= skew"),
        ({"skew": float("nan")}, "skew = nan is outside"),
        ({"skew": "much"}, "skew = 'much' is not a number"),
        ({"drift_steps": 0.0}, "drift_steps = 0.0 is outside"),
        ({"noise": 0.9}, "noise = 0.9 is outside"),
        ({"layer_correlation": 1.0}, "layer_correlation = 1.0 is outside"),
        ({"phase": "night"}, "phase = 'night' is not one of"),
        ({"groups": 3}, "groups = 3 do not divide 16 experts"),
        ({"groups": 2, "groups_kept": 3}, "groups_kept = 3 > 2 groups"),
        ({"groups": 16, "groups_kept": 1}, "top_k = 2 > 1 experts of the kept groups"),
        ({"mix": (1.0, 2.0)}, "mix has 2 shares for 1 domains"),
        ({"mix": (0.0,)}, "give at least one share above 0"),
        ({"mix": (-1.0,)}, "a share of mix = -1.0 is outside"),
        ({"mix": (1.0,), "schedule": ((1, (1.0,)),)}, "mix and schedule are both given"),
        ({"schedule": ()}, "schedule is empty"),
        ({"schedule": ((0, (1.0,)),)}, "give \\(steps >= 1, mix\\)"),
        ({"schedule": ((1, (1.0, 1.0)),)}, r"schedule\[0\] has 2 shares"),
        ({"logits": np.zeros((2, 16))}, r"logits has shape \(2, 16\); give \(3, 16\)"),
        ({"logits": np.full((3, 16), np.nan)}, r"logits at \(0, 0\) is nan"),
        ({"bias": np.zeros((1, 3, 16))}, "bias has shape"),
        ({"layer_variation": [1.0, -1.0, 1.0]}, "layer_variation is -1.0 < 0"),
        ({"seed": -1}, "seed = -1 < 0"),
    ],
)
def test_wrong_parameters_are_refused(changes, message):
    """The value, what it breaks and how to fix it are named."""
    with pytest.raises(ValueError, match=message):
        small(**changes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps = 0 < 1"),
        ({"steps": 1, "start": -1}, "start = -1 < 0"),
        ({"steps": 1, "block_steps": 0}, "block_steps = 0 < 1"),
    ],
)
@pytest.mark.parametrize("what", ["counts", "tokens"])
def test_wrong_stretches_are_refused(what, arguments, message):
    """Of counts and of tokens alike."""
    with pytest.raises(ValueError, match=message):
        next(getattr(generators, what)(small(), **arguments))


def test_what_groups_do_is_estimated_once_for_laws_that_differ_in_their_mix():
    """The shares of domains change no logits: the counts are those of a law estimated alone."""
    law = Law(
        2, 16, 2, step_tokens=500, domains=2, affinity=0.5, groups=4, groups_kept=2, mix=(1.0, 0.0)
    )
    _effective.cache_clear()
    alone = generators.trace(law.replace(mix=(0.0, 1.0)), 3).counts
    _effective.cache_clear()
    generators.trace(law, 3)
    after = generators.trace(law.replace(mix=(0.0, 1.0)), 3).counts
    assert _effective.cache_info().misses == 1
    np.testing.assert_array_equal(after, alone)
    generators.trace(law.replace(affinity=0.6), 3)
    assert _effective.cache_info().misses == 2
