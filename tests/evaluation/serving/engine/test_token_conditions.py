"""Which condition tokens have: phase, position, and how many of each a step has."""

import numpy as np
import pytest

from evaluation.serving.engine.chunk import Chunk
from evaluation.serving.engine.decode_batch import DecodeBatch
from evaluation.serving.engine.token_conditions import all_alike, token_conditions
from tests.evaluation.serving.small import Part
from traces import RequestTrace
from traces.workload import ConditionRouting, SequenceKinds, TokenFilter

EVEN = np.full((1, 4), 0.5)
#: Prompts; answers before position 100; answers from there on.
BY_POSITION = ConditionRouting(
    {
        TokenFilter(phase="prefill", position=(0, 30)): EVEN,
        TokenFilter(phase="prefill"): EVEN,
        TokenFilter(position=(0, 100)): EVEN,
        TokenFilter(): EVEN,
    },
    top_k=2,
)
REQUESTS = RequestTrace([0.0, 0.0, 0.0], [20, 50, 150], [10, 100, 5])


@pytest.fixture
def conditions():
    """Conditions of three requests."""
    return token_conditions(BY_POSITION, REQUESTS, [0])


def test_chunks_are_cut_where_the_condition_changes(conditions):
    """Tokens 0 to 29 of a prompt are of the first condition."""
    tokens = np.zeros(4, dtype=np.int64)
    conditions.add_chunks(tokens, [Chunk(1, 0, 40, 10, 0.0), Chunk(0, 0, 20, 0, 0.0)])
    assert tokens.tolist() == [20 + 20, 20, 0, 0]
    conditions.add_chunks(tokens, [Chunk(2, 0, 100, 50, 0.0)])
    assert tokens.tolist() == [40, 120, 0, 0]


def test_running_sequences_are_counted_by_their_context(conditions):
    """Each has one token and two drafts in a step; places behind the batch count nothing."""
    batch = DecodeBatch(
        Part("decode", groups=2, batch_limit=3, drafts=2).shape(0), np.random.default_rng(0)
    )
    for request, group, context in ((0, 0, 20), (1, 1, 99), (2, 1, 150)):
        batch.enter(request, group, context, 50)
    assert conditions.of_batch(batch).tolist() == [0, 0, 6, 3]
    batch.remove(2, 1)
    batch.context[1, 0] = 100
    assert conditions.of_batch(batch).tolist() == [0, 0, 3, 3]


def test_all_tokens_of_requests_are_counted(conditions):
    """As sums over prompts from 0, and over answers from the end of the prompt."""
    assert conditions.of_requests(REQUESTS, "prefill").tolist() == [80, 20 + 120, 0, 0]
    assert conditions.of_requests(REQUESTS, "decode").tolist() == [0, 0, 10 + 50, 50 + 5]


def test_a_request_is_of_one_kind_in_both_phases():
    """Kinds of sequences do not change with the phase, and differ by seed."""
    routing = ConditionRouting({TokenFilter(): EVEN}, 2, kinds=SequenceKinds(0.01, 16))
    requests = RequestTrace([0.0] * 200, [5] * 200, [5] * 200)
    one, two = (token_conditions(routing, requests, [seed]) for seed in (0, 1))
    np.testing.assert_array_equal(one.prefill, one.decode)
    assert len(np.unique(one.decode)) > 10
    assert (one.decode != two.decode).mean() > 0.8


def test_all_alike():
    """One condition for all tokens."""
    alike = all_alike(REQUESTS)
    assert alike.number == 1
    assert alike.of_requests(REQUESTS, "decode").tolist() == [115]
