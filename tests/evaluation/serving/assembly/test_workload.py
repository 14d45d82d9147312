"""Predicted output lengths, and requests that fit on no executor."""

import numpy as np
import pytest

from evaluation.serving.assembly.workload import check_requests, predicted_output
from tests.evaluation.serving.small import Part
from traces import RequestTrace


def requests(outputs):
    """Return requests of 10 prompt tokens that arrive at once."""
    return RequestTrace([0.0] * len(outputs), [10] * len(outputs), outputs)


def test_an_oracle_predicts_the_output():
    """Schedulers then expect what comes."""
    assert predicted_output(requests([1, 7]), "oracle", 0).tolist() == [1, 7]


def test_the_mean_is_the_same_for_all():
    """The mean of 1, 2 and 6 is 3."""
    assert predicted_output(requests([1, 2, 6]), "mean", 0).tolist() == [3, 3, 3]


def test_most_buckets_are_predicted_right():
    """The end of the bucket of 128 tokens; 15.1 % of 4,000 are drawn from all, some right again."""
    outputs = np.random.default_rng(0).integers(1, 1000, 4000)
    predicted = predicted_output(requests(outputs), "buckets", 0)
    ends = -(-outputs // 128) * 128
    assert (predicted % 128 == 0).all()
    assert 0.849 < (predicted == ends).mean() < 0.9


def test_a_request_has_to_fit_alone():
    """10 + 20 tokens and a block of 4 make 34, in whole blocks 36."""
    shape = Part("decode", kv_capacity=36, block_tokens=4).shape(0)
    check_requests(requests([5, 20]), [shape])
    with pytest.raises(ValueError, match=r"request 1 has 10 prompt \+ 23 output tokens > 36"):
        check_requests(requests([5, 23]), [shape])
