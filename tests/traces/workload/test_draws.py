"""Repetitions of a workload, and the sample of layers that each of them has."""

import numpy as np
import pytest

from traces.workload.draws import drawn
from traces.workload.workload_file import workload_of

TABLE = {
    "batching": {"sequences": 256},
    "requests": {
        "count": 600,
        "arrivals": {"rate": 50.0},
        "lengths": {"prompt_mean": 1000, "output_mean": 1000, "output_sigma": 0.1},
    },
    "routing": {"loads": "deepseek-r1", "sequence_correlation": 0.0},
}


def with_routing(**keys):
    """The table with other keys of its routing."""
    return {**TABLE, "routing": {**TABLE["routing"], **keys}}


def test_a_sample_of_layers_is_spread_over_the_depth():
    """Three of 58, one of each third, another sample for another seed."""
    whole = workload_of(TABLE).routing.chances
    some = workload_of(with_routing(layers=3)).routing.chances
    other = workload_of(with_routing(layers=3, seed=1)).routing.chances
    key = next(iter(some))
    rows = [int(np.flatnonzero((whole[key] == layer).all(axis=1))[0]) for layer in some[key]]
    assert [row * 3 // 58 for row in rows] == [0, 1, 2]
    assert (some[key] != other[key]).any()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"layers": 59}, "layers = 59 is outside 1 <= layers <= 58"),
        ({"law_step_s": 1.0}, "law_step_s has no effect with loads"),
    ],
)
def test_wrong_keys_are_named(keys, message):
    """With what they may be."""
    with pytest.raises(ValueError, match=message):
        workload_of(with_routing(**keys))


def test_a_repetition_has_other_requests_and_other_layers():
    """The file's own seeds are repetition 0."""
    table = with_routing(layers=3)
    first, second = (workload_of(drawn(table, draw)) for draw in (0, 1))
    assert drawn(table, 0) == table
    assert (first.requests.arrival_s != second.requests.arrival_s).any()
    key = next(iter(first.routing.chances))
    assert (first.routing.chances[key] != second.routing.chances[key]).any()


def test_streams_of_a_repetition_stay_independent():
    """Two streams with seeds of their own have two seeds in each repetition."""
    table = {**TABLE, "requests": [{**TABLE["requests"], "seed": seed} for seed in (1, 2)]}
    seeds = {stream["seed"] for draw in (0, 1, 2) for stream in drawn(table, draw)["requests"]}
    assert len(seeds) == 6
