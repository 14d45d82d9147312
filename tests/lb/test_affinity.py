"""Affinity finds planted structure, keeps its bound on the peak and names its assumptions."""

import numpy as np
import pytest

import lb
import traces
from lb.traffic import coactivation, cross_node_tokens, node_copies

GENERATOR = np.random.default_rng(7)
LOAD = GENERATOR.lognormal(size=(3, 64)) * 100


def _communities(layers, experts, communities):
    """[layers, experts] equally many experts in each community, shuffled."""
    return np.stack(
        [
            GENERATOR.permutation(np.repeat(np.arange(communities), experts // communities))
            for _ in range(layers)
        ]
    )


def _peak(placement, problem, share=None):
    speed = 1 if problem.rank_speed is None else problem.rank_speed
    return (placement.rank_load(problem.planned_load, share) / speed).max(axis=1)


def _skewed(**changes):
    """Lognormal loads; each expert's tokens start on one node four times as often as on others."""
    community = _communities(3, 64, 4)
    node = np.arange(16) // 4
    source = np.where(community[:, None, :] == node[None, :, None], 4.0, 1.0) * LOAD[:, None]
    pairs = np.where(community[:, :, None] == community[:, None, :], 5.0, 1.0)
    pairs = pairs * LOAD[:, :, None] * LOAD[:, None, :] / 6400
    fields = {"ranks_per_node": 4, "source_load": source, "coactivation": pairs} | changes
    return lb.Problem(LOAD, 16, 5, **fields)


def test_nothing_to_go_by_is_the_balanced_start():
    """Without sources, distances or co-activation it is local-search."""
    problem = _skewed(source_load=None, coactivation=None)
    answer = lb.solve(problem, "affinity").physical_to_logical
    np.testing.assert_array_equal(answer, lb.solve(problem, "local-search").physical_to_logical)


def test_communities_get_a_node_each():
    """Equal loads, four communities, four nodes: all co-activated experts share a node."""
    community = _communities(6, 64, 4)
    pairs = np.where(community[:, :, None] == community[:, None, :], 10.0, 1.0)
    problem = lb.Problem(np.full((6, 64), 100.0), 16, 4, ranks_per_node=4, coactivation=pairs)
    placement = lb.solve(problem, "affinity", imbalance=0)
    for layer in range(6):
        on_nodes = community[layer][placement.physical_to_logical[layer]].reshape(4, 16)
        assert (on_nodes == on_nodes[:, :1]).all()
    np.testing.assert_array_equal(placement.balancedness(problem.total_load), 1)


def test_without_nodes_communities_get_a_rank_each():
    """One node: what shares a rank needs one copy."""
    community = _communities(2, 16, 4)
    pairs = (community[:, :, None] == community[:, None, :]).astype(float)
    problem = lb.Problem(np.full((2, 16), 100.0), 4, 4, coactivation=pairs)
    placement = lb.solve(problem, "affinity")
    for layer in range(2):
        on_ranks = community[layer][placement.physical_to_logical[layer]].reshape(4, 4)
        assert (on_ranks == on_ranks[:, :1]).all()


def test_experts_go_where_their_tokens_start():
    """Equal loads, each expert chosen on one rank only: no token leaves its rank."""
    home = _communities(3, 64, 16)
    source = 100.0 * (home[:, None, :] == np.arange(16)[None, :, None])
    problem = lb.Problem(source.sum(axis=1), 16, 4, ranks_per_node=4, source_load=source)
    assert cross_node_tokens(lb.solve(problem, "local-search"), source, 1).min() > 0
    placement = lb.solve(problem, "affinity", imbalance=0)
    np.testing.assert_array_equal(cross_node_tokens(placement, source, 1), 0)
    np.testing.assert_array_equal(placement.balancedness(problem.total_load), 1)


def test_distances_replace_the_nodes():
    """Two ranks far from all others get the expert whose tokens start there."""
    distance = np.where(np.arange(4)[:, None] // 2 == np.arange(4) // 2, 1.0, 9.0)
    np.fill_diagonal(distance, 0)
    source = np.zeros((1, 4, 8))
    source[0, 2:, :4] = 50  # experts 0 to 3 are chosen on ranks 2 and 3
    source[0, :2, 4:] = 50
    problem = lb.Problem(np.full((1, 8), 100.0), 4, 2, source_load=source, rank_distance=distance)
    slots = lb.solve(problem, "affinity").physical_to_logical[0]
    assert set(slots[:4]) == {4, 5, 6, 7}
    # without sources every rank sends alike: experts with tokens avoid the outlying rank
    outlying = np.array([[0, 1, 9.0], [1, 0, 9], [9, 9, 0]])
    problem = lb.Problem([[10.0, 9, 8, 7, 3, 1]], 3, 2, rank_distance=outlying)
    slots = lb.solve(problem, "affinity", imbalance=1.0).physical_to_logical[0]
    assert set(slots[4:]) == {4, 5}


@pytest.mark.parametrize("dispatcher", ["even", "local-first"])
@pytest.mark.parametrize("imbalance", [0.0, 0.05, 0.2])
def test_peak_stays_within_its_bound(dispatcher, imbalance):
    """At most 1 + imbalance times the start's, under the dispatcher in use; traffic falls."""
    problem = _skewed(dispatcher=dispatcher)
    peaks, crossing = [], []
    for solver in (lb.make("local-search"), lb.make("affinity", imbalance=imbalance)):
        placement = lb.solve(problem, solver)
        share = lb.dispatch.configured(dispatcher, 4)(placement, LOAD)
        by_slot = lb.dispatch.slot_share(placement, share, problem.source_load)
        peaks.append(_peak(placement, problem, by_slot))
        crossing.append(cross_node_tokens(placement, problem.source_load, 4, share).sum())
    assert (peaks[1] <= peaks[0] * (1 + imbalance) * (1 + 1e-9)).all()
    assert crossing[1] < (0.95 if imbalance == 0 else 0.8) * crossing[0]


def test_slow_ranks_keep_their_bound():
    """The bound is on time: load over speed."""
    problem = _skewed(rank_speed=np.where(np.arange(16) % 4 == 0, 0.5, 1.0))
    start, answer = (lb.solve(problem, name) for name in ("local-search", "affinity"))
    assert (_peak(answer, problem) <= _peak(start, problem) * 1.05 * (1 + 1e-9)).all()
    crossing = [cross_node_tokens(one, problem.source_load, 4).sum() for one in (start, answer)]
    assert crossing[1] < 0.8 * crossing[0]


def test_recorded_tokens_reach_fewer_nodes():
    """DeepSeek-V2-Lite, 16 ranks on 4 nodes: a fifth fewer hidden states, on later tokens too."""
    trace = traces.load("dsv2lite-intent")
    fitted, later = trace.experts[:4000, :4], trace.experts[4000:8000, :4]
    pairs = coactivation(fitted, trace.num_experts)
    load = pairs.diagonal(axis1=1, axis2=2)
    problem = lb.Problem(load, 16, 5, ranks_per_node=4, coactivation=pairs)
    start, answer = (lb.solve(problem, name) for name in ("local-search", "affinity"))
    for tokens in (fitted, later):
        assert node_copies(tokens, answer, 4).sum() < 0.8 * node_copies(tokens, start, 4).sum()
    assert (_peak(answer, problem) <= _peak(start, problem) * 1.05 * (1 + 1e-9)).all()


def test_other_units_change_nothing():
    """Tokens counted in other powers of two give the same placement."""
    problem = _skewed()
    scaled = problem.replace(
        load=np.ldexp(problem.load, 5),
        source_load=np.ldexp(problem.source_load, 9),
        coactivation=np.ldexp(problem.coactivation, 5),
    )
    one, other = (lb.solve(each, "affinity").physical_to_logical for each in (problem, scaled))
    np.testing.assert_array_equal(one, other)


def test_the_weight_of_coactivation():
    """0 leaves it out."""
    problem = _skewed(source_load=None)
    start = lb.solve(problem, "local-search").physical_to_logical
    ignored = lb.solve(problem, "affinity", coactivation_weight=0).physical_to_logical
    np.testing.assert_array_equal(ignored, start)
    assert (lb.solve(problem, "affinity").physical_to_logical != start).any()


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"imbalance": -0.1}, "imbalance = -0.1 breaks 0 <= imbalance"),
        ({"node_distance": np.nan}, "node_distance = nan breaks"),
        ({"coactivation_weight": np.inf}, "coactivation_weight = inf breaks"),
        ({"rounds": 0}, "rounds = 0 < 1"),
    ],
)
def test_bad_parameters_are_refused(params, text):
    """The error names the value."""
    with pytest.raises(ValueError, match=text):
        lb.solve(_skewed(), "affinity", **params)


def test_odd_problems_are_survived():
    """No load at all, a single rank, sources without tokens."""
    for load, ranks, slots in ((np.zeros((1, 8)), 4, 3), (np.ones((1, 8)), 1, 8)):
        problem = lb.Problem(
            load,
            ranks,
            slots,
            source_load=np.zeros((1, ranks, 8)),
            coactivation=np.ones((1, 8, 8)),
            rank_distance=np.ones((ranks, ranks)),
        )
        assert lb.solve(problem, "affinity").duplicate_count.sum() == 0
