"""Laws of length have the means, deviations and tails that they say."""

import numpy as np
import pytest

import traces
from traces.lengths import EmpiricalLengths, LogNormalLengths, xdeepserve_lengths

MANY = 200_000


def test_log_normal_without_a_cut():
    """Means, and the deviation of the logarithms."""
    prompts, outputs = LogNormalLengths(3000.0, 400.0, 0.5, 1.2, seed=1)(MANY)
    assert prompts.mean() == pytest.approx(3000, rel=0.006)
    assert outputs.mean() == pytest.approx(400, rel=0.02)
    assert np.log(prompts).std() == pytest.approx(0.5, rel=0.01)
    assert np.log(outputs).std() == pytest.approx(1.2, rel=0.02)
    assert prompts.min() >= 1
    assert abs(np.corrcoef(np.log(prompts), np.log(outputs))[0, 1]) < 4 / MANY**0.5


@pytest.mark.parametrize(("mean", "sigma", "longest"), [(900, 1.5, 2000), (50, 0.2, 64), (2, 1, 4)])
def test_a_cut_keeps_the_mean(mean, sigma, longest):
    """What is above the longest is drawn anew, and the mean is met all the same."""
    prompts, _ = LogNormalLengths(mean, 10, sigma, prompt_longest=longest, seed=2)(MANY)
    assert prompts.max() <= longest
    assert prompts.min() >= 1
    # rounding to whole tokens moves means of a few tokens
    assert prompts.mean() == pytest.approx(mean, rel=0.02 if mean < 10 else 0.006)


def test_the_papers_lengths():
    """13K in and 2.1K out, and a tail that reaches 64K and no further."""
    prompts, outputs = xdeepserve_lengths(seed=3)(MANY)
    assert prompts.mean() == pytest.approx(13_000, rel=0.01)
    assert outputs.mean() == pytest.approx(2_100, rel=0.01)
    assert 60_000 < prompts.max() <= 65_536
    assert 0.05 < (prompts > 32_768).mean() < 0.08
    assert outputs.max() <= 32_768


def test_empirical_lengths_are_those_of_the_recording():
    """Pairs stay pairs, and come as often."""
    trace = traces.load("azure-2023-conv")
    prompts, outputs = EmpiricalLengths(trace, seed=4)(MANY)
    pairs = set(zip(trace.prompt_tokens.tolist(), trace.output_tokens.tolist(), strict=True))
    assert set(zip(prompts.tolist(), outputs.tolist(), strict=True)) <= pairs
    for drawn, recorded in ((prompts, trace.prompt_tokens), (outputs, trace.output_tokens)):
        assert drawn.mean() == pytest.approx(recorded.mean(), rel=0.01)
        np.testing.assert_allclose(
            np.quantile(drawn, [0.5, 0.9, 0.99]), np.quantile(recorded, [0.5, 0.9, 0.99]), rtol=0.03
        )


def test_seeds_decide():
    """Equal seeds give equal lengths, others others."""
    one, two, other = (xdeepserve_lengths(seed)(50) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert (one[0] != other[0]).any()


@pytest.mark.parametrize(
    ("law", "text"),
    [
        (
            LogNormalLengths(500, 10, prompt_longest=400),
            "prompt_mean = 500 is outside .* up to 400",
        ),
        (LogNormalLengths(500, 0.5), r"output_mean = 0\.5 is outside"),
        (LogNormalLengths(float("nan"), 10), "prompt_mean = nan is outside"),
        (LogNormalLengths(500, 10, prompt_sigma=0.0), r"prompt_sigma = 0\.0 is outside 0 <"),
        (LogNormalLengths(500, 10, output_sigma=9.0), r"output_sigma = 9\.0 is outside .* <= 4\.0"),
        (LogNormalLengths(500, 10, prompt_longest=0), "prompt_longest = 0 is outside 1 <="),
        (LogNormalLengths(500, 10, prompt_longest=2.5), r"prompt_longest = 2\.5 is not an integer"),
    ],
)
def test_wrong_parameters_are_refused(law, text):
    """By the call; the constructor only stores."""
    with pytest.raises(ValueError, match=text):
        law(3)
    with pytest.raises(ValueError, match="requests = 0 < 1"):
        xdeepserve_lengths()(0)
