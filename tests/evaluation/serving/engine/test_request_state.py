"""Verbs of the request state: each writes its change into the state and the log."""

import numpy as np
import pytest

from evaluation.serving.engine.request_state import RequestState
from evaluation.serving.engine.token_conditions import all_alike
from traces import RequestTrace


@pytest.fixture
def requests():
    """Two requests of 10 prompt tokens; one generates 5 tokens, the other 1."""
    trace = RequestTrace([0.0, 1.0], [10, 10], [5, 1])
    return RequestState(trace, np.array([5, 1]), all_alike(trace))


def prefill(requests, request=0, now_s=1.0):
    """Compute a whole prompt on DP group 3 of executor 2."""
    requests.start_prefill(request, 0, now_s)
    requests.compute_prompt(request, int(requests.need[request]))
    requests.finish_prompt(request, 2, 3, now_s)


def test_a_prompt_is_complete_with_its_last_token(requests):
    """Cached tokens count as computed: 4 cached, 5 and 1 computed make 10."""
    requests.start_prefill(0, 4, 0.5)
    assert not requests.compute_prompt(0, 5)
    assert requests.compute_prompt(0, 1)


def test_only_the_first_start_of_a_prompt_is_logged(requests):
    """A prompt that is computed again keeps its first start and the cached tokens of that."""
    requests.start_prefill(0, 4, 0.5)
    requests.requeue(0, 1.0)
    requests.start_prefill(0, 8, 2.0)
    assert (requests.log.prefill_start_s[0], requests.log.cached_tokens[0]) == (0.5, 4)


def test_a_finished_prompt_makes_the_first_token(requests):
    """Its keys and values are then held where it was computed."""
    prefill(requests)
    assert (requests.log.first_token_s[0], requests.generated[0], requests.left(0)) == (1.0, 1, 4)
    assert (requests.holder[0], requests.group[0]) == (2, 3)
    assert requests.held_by({(2, 3)}) == [0]
    assert requests.held_by({(2, 0), (3, 3)}) == []


def test_a_prompt_computed_again_makes_the_second_token(requests):
    """The time of the first token stays."""
    prefill(requests)
    requests.requeue(0, 2.0)
    prefill(requests, now_s=3.0)
    assert (requests.log.first_token_s[0], requests.log.second_token_s[0]) == (1.0, 3.0)


def test_the_second_token_is_that_of_the_first_decode_step(requests):
    """Later decode steps, as after a preemption, do not change it."""
    prefill(requests)
    for now_s in (2.0, 5.0):
        requests.note_first_decode_step([0], now_s)
    assert requests.log.second_token_s[0] == 2.0


def test_a_preempted_request_recomputes_all_that_was_in_cache(requests):
    """With 2 of 5 tokens left it has generated 3, the last of which is in no cache: 10 + 3 - 1."""
    prefill(requests)
    requests.start_decode(0, 1, 0, 2.0)
    requests.preempt(0, 2)
    assert requests.held_by({(1, 0)}) == []
    requests.requeue(0, 4.0)
    assert (requests.generated[0], requests.need[0], requests.done[0]) == (3, 13, 0)
    assert requests.log.recomputed_tokens[0] == 12
    assert requests.log.preemptions[0] == 1
    assert requests.joined_s[0] == 4.0


def test_a_prompt_lost_half_way_recomputes_that_half(requests):
    """Only tokens that had been computed count as recomputed, and no token is generated."""
    requests.start_prefill(0, 0, 0.0)
    requests.compute_prompt(0, 6)
    requests.requeue(0, 1.0)
    assert requests.log.recomputed_tokens[0] == 6
    assert (requests.need[0], requests.done[0], requests.generated[0]) == (10, 0, 0)


def test_requeue_and_cancel_make_transfers_void(requests):
    """Both raise the attempt that a transfer remembers; only the first gives the cache up."""
    prefill(requests)
    requests.cancel_transfer(0)
    assert (requests.attempt[0], requests.holder[0]) == (1, 2)
    requests.requeue(0, 2.0)
    assert (requests.attempt[0], requests.holder[0]) == (2, -1)


def test_a_request_finishes_once(requests):
    """It then has all its tokens, holds no memory, and a second end is an error."""
    prefill(requests)
    requests.finish(0, 7.0)
    assert (requests.log.finish_s[0], requests.log.generated[0], requests.holder[0]) == (7.0, 5, -1)
    with pytest.raises(RuntimeError, match="request 0 finished twice"):
        requests.finish(0, 8.0)


def test_progress_of_running_requests_can_be_noted(requests):
    """With 2 of 5 and 0 of 1 tokens left they have generated 3 and 1."""
    requests.note_generated(np.array([0, 1]), np.array([2, 0]))
    assert requests.log.generated.tolist() == [3, 1]


def test_prefix_ids_end_with_the_last_whole_block():
    """A prompt of 10 tokens has two whole blocks of 4."""
    trace = RequestTrace(
        [0, 0], [10, 4], [1, 1], prefix_hashes=[7, 8, 9, 5], prefix_blocks=[3, 1], block_tokens=4
    )
    requests = RequestState(trace, trace.output_tokens, all_alike(trace))
    assert [requests.prefix(request) for request in (0, 1)] == [[7, 8], [5]]
