"""Routing by condition: phase, domain, lengths and position decide the law of a token."""

import numpy as np
import pytest

from tests.traces.workload.streams import concurrent, small_law
from traces import RequestTrace, RoutingTrace
from traces.workload import (
    ConditionRouting,
    ContinuousBatching,
    RoutingModel,
    SequenceKinds,
    TokenFilter,
    Workload,
)


def certain(*conditions, layers=1):
    """The tokens of each condition all choose the expert of its number."""
    chance = np.eye(len(conditions))
    return ConditionRouting(
        {of: np.tile(row, (layers, 1)) for of, row in zip(conditions, chance, strict=True)}, 1
    )


def experts(requests, routing, **batching):
    """[steps, experts] counts of the only layer."""
    (part,) = Workload(
        requests, routing, ContinuousBatching(**{"sequences": 64} | batching)
    ).steps()
    return part.counts[:, 0].tolist()


def test_the_first_condition_that_matches_decides():
    """A request of each domain; of the third, only the last condition."""
    requests = concurrent(3, 1, ("a", "b", "c"))
    routing = certain(TokenFilter(domain="b"), TokenFilter(domain="a"), TokenFilter())
    assert experts(requests, routing) == [[1, 1, 1]]
    assert experts(requests, certain(TokenFilter(), TokenFilter(domain="a"))) == [[3, 0]]


def test_phases_are_told_apart():
    """Two prompt tokens in a prefill step, then a decode step."""
    requests = RequestTrace([0.0], [2], [1])
    routing = certain(TokenFilter(phase="decode"), TokenFilter(phase="prefill"))
    assert experts(requests, routing, stage="both") == [[0, 2], [1, 0]]


def test_lengths_are_told_apart():
    """Bounds are from and below: prompts of 99 and 100 tokens, answers of 1 and 2."""
    requests = RequestTrace([0.0, 0.0, 0.0], [99, 100, 99], [1, 1, 2])
    routing = certain(TokenFilter(prompt_tokens=(100, 200)), TokenFilter(output_tokens=(2, 9)))
    with pytest.raises(ValueError, match=r"request 0 .*match none of 2 conditions"):
        experts(requests, routing)
    routing = certain(*routing.chances, TokenFilter())
    assert experts(requests, routing) == [[1, 1, 1], [0, 1, 0]]


def test_positions_are_told_apart():
    """Prompt of 3, answer of 4: tokens 0 and 1, 2 to 4, 5 and 6, in steps of both phases."""
    requests = RequestTrace([0.0], [3], [4])
    routing = certain(
        TokenFilter(position=(0, 2)),
        TokenFilter(position=(2, 5)),
        TokenFilter(position=(5, np.inf)),
    )
    assert routing.position_edges == (2, 5)
    assert experts(requests, routing, stage="both") == [
        [2, 1, 0],
        [0, 1, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 1],
    ]


def test_counts_of_recordings_become_chances():
    """Shares of the counts, times top_k."""
    trace = RoutingTrace([[[6, 2, 2, 0]], [[4, 4, 1, 1]]], "toy", 2)
    routing = ConditionRouting.from_traces({TokenFilter(): trace})
    (chance,) = routing.chances.values()
    np.testing.assert_allclose(chance, [[1.0, 0.6, 0.3, 0.1]])
    assert isinstance(routing, RoutingModel)


@pytest.mark.parametrize("routing", [certain(TokenFilter()), small_law()])
def test_laws_are_routing_models(routing):
    """What a workload and a serving simulation draw from."""
    assert isinstance(routing, RoutingModel)
    tokens = np.full((2, routing.num_conditions), 3)
    counts = routing.sampler().draw(tokens, 0, np.random.default_rng(0))
    assert counts.shape == (2, routing.num_layers, routing.num_experts)
    assert (counts.sum(axis=2) == tokens.sum(axis=1)[:, None] * routing.top_k).all()


def test_kinds_of_sequences_keep_the_mean_of_their_condition():
    """Chances of 16 kinds average to those of the condition, and none is above 1."""
    kinds = SequenceKinds(0.1, 16)
    chance = np.array([[[0.9, 0.5, 0.3, 0.2, 0.1]]])
    found = kinds.chances(chance, 2)
    assert found.shape == (16, 1, 5)
    assert found.max() <= 1 + 1e-12
    np.testing.assert_allclose(found.sum(axis=2), 2)
    np.testing.assert_allclose(found.mean(axis=0), chance[0], atol=1e-3)


def test_kinds_of_sequences_differ_as_correlated_tokens_do():
    """64 experts of chance 1/8 in 50 layers: the variance of a chance is c (1 - c) r.

    Within 15 %: the law holds of chances far below 1.
    """
    chance = np.full((1, 50, 64), 0.125)
    found = SequenceKinds(0.02, 8).chances(chance, 8)
    assert found.var(axis=0).mean() == pytest.approx(0.125 * 0.875 * 0.02, rel=0.15)


def test_requests_of_a_session_are_of_one_kind():
    """Others are of any."""
    session = np.array([0, 1, -1, 0, 1] * 20)
    requests = RequestTrace(np.arange(100.0), np.full(100, 1), np.full(100, 1), session=session)
    kind = SequenceKinds(0.5, 8).of_requests(requests, np.random.default_rng(0))
    assert len(set(kind[session == 0])) == len(set(kind[session == 1])) == 1
    assert len(set(kind[session == -1])) > 1


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: TokenFilter(phase="mixed"), "'mixed'"),
        (lambda: TokenFilter(position=(4, 4)), r"position = \(4, 4\)"),
        (lambda: ConditionRouting({}, 1), "empty"),
        (lambda: ConditionRouting({TokenFilter(): np.array([[0.5, 0.4]])}, 1), "add up to 0.9"),
        (lambda: ConditionRouting({TokenFilter(): np.array([[1.5, -0.5]])}, 1), "-0.5 to 1.5"),
        (
            lambda: ConditionRouting(
                {TokenFilter(): np.eye(2), TokenFilter("a"): np.full((1, 2), 0.5)}, 1
            ),
            "shape",
        ),
        (
            lambda: ConditionRouting.from_traces({TokenFilter(): RoutingTrace([[[0, 0]]], "t", 1)}),
            "0 counts",
        ),
        (lambda: SequenceKinds(-1.0, 4), "correlation = -1.0"),
        (lambda: SequenceKinds(0.0, 0), "count"),
        (lambda: SequenceKinds(0.1), "count = 1 kinds cannot differ"),
    ],
)
def test_what_breaks_a_rule_is_refused(make, text):
    """The error names the value."""
    with pytest.raises(ValueError, match=text):
        make()


def test_judged_windows_have_chances_of_their_own():
    """What solvers see comes from one part of a recording, what is judged from another."""
    parts = [RoutingTrace(np.array([[row]]), "toy", 1) for row in ([6, 0], [0, 6])]
    everyone = TokenFilter()
    routing = ConditionRouting.from_traces({everyone: parts[0]}, judged={everyone: parts[1]})
    requests = concurrent(3, 4, ("a",))
    workload = Workload(requests, routing, ContinuousBatching(sequences=64))
    for one, wanted in zip(workload.split(), ([3, 0], [0, 3]), strict=True):
        (steps,) = one.steps()
        assert steps.counts[0, 0].tolist() == wanted
    pairs = list(workload.split_windows(window_steps=2))
    assert [(seen.counts.tolist(), judged.counts.tolist()) for seen, judged in pairs] == [
        ([[6, 0]], [[0, 6]])
    ] * 2
    with pytest.raises(ValueError, match="is no condition"):
        ConditionRouting.from_traces(
            {everyone: parts[0]}, judged={TokenFilter(domain="a"): parts[1]}
        )
