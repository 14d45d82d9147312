"""Sequences that generate in one table."""

import numpy as np
import pytest

from evaluation.serving.engine.decode_batch import DecodeBatch
from evaluation.serving.engine.executor_setup import ExecutorShape
from evaluation.serving.engine.kv_memory import whole_blocks


def batch_of(groups=2, limit=4, drafts=0, acceptance=0.0, block=4, seed=0):
    """Return an empty batch."""
    shape = ExecutorShape(
        "decode-0", "decode", groups, 1.0, 10**6, block, 1, limit, drafts, acceptance
    )
    return DecodeBatch(shape, np.random.default_rng(seed))


def step(batch):
    """Begin a step and end it; return who ended, sorted, and the tokens made."""
    batch.begin()
    ended, emitted = batch.step()
    return sorted(map(tuple, ended.tolist())), emitted


def check_sums(batch):
    """Assert that the running sums are those of the table."""
    for group, count in enumerate(batch.count):
        context = batch.context[group, :count]
        assert batch.context_sum[group] == context.sum()
        assert batch.held[group] == sum(whole_blocks(int(c), batch.block_tokens) for c in context)
        assert (batch.request[group, :count] >= 0).all()
        assert (batch.request[group, count:] == -1).all()


def test_a_sequence_ends_with_its_last_token():
    """One token a step without drafts; it leaves, and its cache with it."""
    batch = batch_of()
    batch.enter(7, 1, 4, 2)
    assert step(batch) == ([], 1)
    assert (batch.context_sum[1], batch.held[1]) == (5, 8)
    assert step(batch) == ([(7, 1)], 1)
    assert batch.count.tolist() == batch.held.tolist() == batch.context_sum.tolist() == [0, 0]


def test_those_that_end_together_all_leave():
    """Swapping the last into a gap loses none, also where the last ends too."""
    batch = batch_of(groups=1)
    for request, left in enumerate((1, 2, 1, 1)):
        batch.enter(request, 0, 3, left)
    assert step(batch) == ([(0, 0), (2, 0), (3, 0)], 4)
    check_sums(batch)
    assert batch.request[0, :1].tolist() == [1]


@pytest.mark.parametrize(("acceptance", "made"), [(0.0, 1), (1.0, 4)])
def test_drafts_never_or_always_accepted(acceptance, made):
    """A step makes one token, or one and all drafts."""
    batch = batch_of(drafts=3, acceptance=acceptance)
    batch.enter(0, 0, 10, 100)
    assert step(batch) == ([], made)
    assert batch.context[0, 0] == 10 + made


def test_drafts_stop_at_the_last_token():
    """A sequence makes no more than it had left."""
    batch = batch_of(drafts=3, acceptance=1.0)
    batch.enter(0, 0, 10, 2)
    assert step(batch) == ([(0, 0)], 2)


def test_accepted_drafts_are_a_cut_geometric_number():
    """With 2 drafts at 0.6 a step makes 1 + 0.6 + 0.36 tokens on average, within 4 sigma."""
    batch = batch_of(groups=50, limit=40, drafts=2, acceptance=0.6)
    for request in range(2000):
        batch.enter(request, request // 40, 1, 10**6)
    made = step(batch)[1]
    chances = np.array([0.4, 0.24, 0.36])
    mean = chances @ [1, 2, 3]
    sigma = np.sqrt((chances @ [1, 4, 9] - mean**2) * 2000)
    assert abs(made - 2000 * mean) < 4 * sigma


def test_remove_returns_what_was_left():
    """One taken out takes its cache along and leaves the others as they were."""
    batch = batch_of(groups=1)
    for request in range(3):
        batch.enter(request, 0, 4 + request, 10 + request)
    step(batch)
    assert batch.remove(0, 0) == 9
    check_sums(batch)
    assert sorted(batch.request[0, :2].tolist()) == [1, 2]


def test_one_that_enters_during_a_step_generates_from_the_next_on():
    """What joins while a step runs takes no part in it, even where others end in it."""
    batch = batch_of(groups=1)
    batch.enter(0, 0, 4, 1)
    batch.enter(1, 0, 4, 5)
    batch.begin()
    batch.enter(2, 0, 8, 1)
    batch.enter(3, 0, 8, 3)
    ended, emitted = batch.step()
    assert ended.tolist() == [[0, 0]]
    assert emitted == 2
    check_sums(batch)
    left = dict(zip(batch.request[0, :3].tolist(), batch.left[0, :3].tolist(), strict=True))
    assert left == {1: 4, 2: 1, 3: 3}
    assert step(batch) == ([(2, 0)], 3)
    check_sums(batch)


@pytest.mark.parametrize(("gone", "emitted"), [(0, 1), (1, 1), (2, 2), (3, 2)])
def test_one_taken_out_during_a_step_lets_no_other_miss_or_gain_a_token(gone, emitted):
    """Those in the step stay in it, those that entered during it stay out."""
    batch = batch_of(groups=1)
    for request in (0, 1):
        batch.enter(request, 0, 4, 5)
    batch.begin()
    for request in (2, 3):
        batch.enter(request, 0, 8, 5)
    batch.remove(gone, 0)
    ended, made = batch.step()
    assert (len(ended), made) == (0, emitted)
    check_sums(batch)
    for request, left in zip(batch.request[0, :3], batch.left[0, :3], strict=True):
        assert left == (4 if request < 2 else 5)


def test_random_comings_and_goings_keep_every_token():
    """Over many steps each request generates all its tokens, once, and the sums stay right."""
    random = np.random.default_rng(3)
    batch = batch_of(groups=3, limit=5, drafts=1, acceptance=0.5)
    output = random.integers(1, 30, size=200)
    made, ended, coming = 0, [], 0
    while len(ended) < len(output):
        batch.begin()
        while coming < len(output) and random.random() < 0.7:
            group = int(batch.count.argmin())
            if batch.count[group] == batch.limit:
                break
            batch.enter(coming, group, int(random.integers(1, 50)), int(output[coming]))
            coming += 1
        gone, emitted = batch.step()
        made += emitted
        ended += gone[:, 0].tolist()
        check_sums(batch)
    assert made == output.sum()
    assert sorted(ended) == list(range(200))
