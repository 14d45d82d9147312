"""Requests that use the same experts together."""

import pickle

import numpy as np
import pytest

from schedulers.decode.centroids import centroids
from schedulers.decode.expert_locality import ExpertLocality
from schedulers.decode.mask_least_kv import mask_least_kv
from tests.schedulers.decode.views import requests, workers

#: Experts of two kinds of requests.
CODE, POEM = (1.0, 0.0), (0.0, 1.0)


def test_alike_requests_meet():
    """A poem goes where poems are, though code has less load."""
    pool = workers([10, 90], expert_load=[CODE, POEM])
    assert ExpertLocality()(requests([5], signature=[POEM]), pool).tolist() == [1]


def test_within_the_band_the_least_loaded():
    """Two workers of poems; the longer sum is as alike as the shorter one."""
    pool = workers([10, 90, 50], expert_load=[CODE, (0.0, 1.0), (0.0, 7.0)])
    assert ExpertLocality()(requests([5], signature=[POEM]), pool).tolist() == [2]


def test_the_widest_band_is_load_alone():
    """Within 2 of the best lies every cosine."""
    pool = workers([10, 90], expert_load=[CODE, POEM])
    assert ExpertLocality(band=2.0)(requests([5], signature=[POEM]), pool).tolist() == [0]


def test_closed_workers_set_no_band():
    """The best match is full; the band starts at the best open one."""
    pool = workers([10, 90, 50], running=[1, 3, 1], limit=3, expert_load=[CODE, POEM, (1.0, 1.0)])
    assert ExpertLocality()(requests([5], signature=[POEM]), pool).tolist() == [2]


def test_a_worker_without_requests_suits_all():
    """It has no experts to clash with, and the least load."""
    pool = workers([0, 90], running=[0, 1], expert_load=[(0.0, 0.0), POEM])
    assert ExpertLocality()(requests([5], signature=[POEM]), pool).tolist() == [0]


def test_requests_of_one_call_count_for_the_next():
    """Of an empty pair the first poem takes one, code the other, and later ones follow."""
    pool = workers([0, 0], running=[0, 0], expert_load=np.zeros((2, 2)))
    found = ExpertLocality()(requests([9, 1, 9, 1], signature=[POEM, CODE, POEM, CODE]), pool)
    assert found.tolist() == [0, 1, 0, 1]


def test_centroids_replace_what_workers_have():
    """Worker 0 is for poems, whatever runs there; tuples do as well as arrays."""
    pool = workers([90, 10], expert_load=[CODE, POEM])
    waiting = requests([5], signature=[POEM])
    for given in ((POEM, CODE), centroids(np.array([POEM, CODE]), 2)):
        wanted = int(np.array(given)[:, 1].argmax())
        assert ExpertLocality(centroids=given)(waiting, pool).tolist() == [wanted]


@pytest.mark.parametrize(
    ("signature", "expert_load"), [(None, [CODE, POEM]), ([POEM, POEM], None), (None, None)]
)
def test_without_signatures_it_masks_and_takes_least_kv(signature, expert_load):
    """Nothing to compare: load alone, as xDeepServe does."""
    pool = workers([10, 12], expert_load=expert_load)
    waiting = requests([5, 5], signature=signature)
    np.testing.assert_array_equal(ExpertLocality()(waiting, pool), mask_least_kv(waiting, pool))


def test_views_are_left_as_they_were():
    """The sum of signatures belongs to the view."""
    pool = workers([10, 12], expert_load=[CODE, POEM])
    ExpertLocality()(requests([5, 5], signature=[POEM, POEM]), pool)
    assert pool.expert_load.tolist() == [list(CODE), list(POEM)]


def test_it_can_be_sent_to_another_process():
    """With centroids too."""
    pool, waiting = workers([9, 9]), requests([5], signature=[POEM])
    router = ExpertLocality(centroids=np.array([CODE, POEM]))
    assert pickle.loads(pickle.dumps(router))(waiting, pool).tolist() == [1]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"band": -0.1}, "band = -0.1; 0 <= band <= 2"),
        ({"centroids": ((1.0, 0.0),)}, r"centroids of shape \(1, 2\)"),
        ({"centroids": ((np.nan, 0.0), (0.0, 1.0))}, "not finite"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    """The error names the value."""
    with pytest.raises(ValueError, match=message):
        ExpertLocality(**parameters)(requests([5], signature=[POEM]), workers([0, 0]))
