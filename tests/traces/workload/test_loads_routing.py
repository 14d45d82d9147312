"""Laws of loads as the routing of a workload, and its repetitions."""

import numpy as np
import pytest

from traces.generators import loads
from traces.workload.draws import drawn
from traces.workload.workload_file import workload_of

TABLE = {
    "batching": {"sequences": 256},
    "requests": {
        "count": 600,
        "arrivals": {"rate": 50.0},
        "lengths": {"prompt_mean": 1000, "output_mean": 1000, "output_sigma": 0.1},
    },
    "routing": {"loads": "deepseek-r1", "sequence_correlation": 0.0, "sequence_kinds": 1},
}


def with_routing(**keys):
    """The table with other keys of its routing."""
    return {**TABLE, "routing": {**TABLE["routing"], **keys}}


def test_requests_have_the_loads_of_their_lengths():
    """Outputs near 1,000 tokens: shares within the drawing of some 100,000 tokens."""
    window = next(workload_of(TABLE).windows(window_steps=400))
    share = window.counts / window.counts.sum(axis=1, keepdims=True)
    decode = loads.preset("deepseek-r1").share("decode_in1000out1000")
    # Drawing makes about 0.007: half of 256 x 0.8 x sqrt(1 / 256 / 800,000) for 800,000 copies;
    # the middle of the bin, 931 tokens of output, another 0.005.
    assert 0.5 * np.abs(share - decode).sum(axis=1).mean() < 0.02


def test_a_sample_of_layers_is_spread_over_the_depth():
    """Three of 58, one of each third, another sample for another seed."""
    whole = workload_of(TABLE).routing.chances
    some = workload_of(with_routing(layers=3)).routing.chances
    other = workload_of(with_routing(layers=3, seed=1)).routing.chances
    key = next(iter(some))
    rows = [int(np.flatnonzero((whole[key] == layer).all(axis=1))[0]) for layer in some[key]]
    assert [row * 3 // 58 for row in rows] == [0, 1, 2]
    assert (some[key] != other[key]).any()


def test_domains_are_added_to_the_law():
    """Each domain has conditions of its own."""
    table = with_routing(domains=["chat", "code"], layers=2)
    table["requests"] = {**table["requests"], "shares": {"chat": 1, "code": 1}}
    names = {condition.domain for condition in workload_of(table).routing.chances}
    assert names == {"chat", "code"}


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
