"""A step log keeps the steps and transfers of its time range."""

import pytest

from evaluation.serving.engine.step_log import StepLog
from evaluation.serving.pricing.work import Cost


def test_a_step_log_keeps_what_overlaps_its_range():
    """A step or transfer that only touches an end of the range is left out."""
    log = StepLog(1.0, 2.0)
    cost = Cost(0.5, 0.1, 0.1, 0.1, 0.1, 0.1)
    for start in (0.0, 0.5, 0.75, 1.5, 2.0):
        log.add(0, start, cost, 0, 8)
    for start, end in ((0.0, 1.0), (0.5, 3.0), (2.0, 2.5)):
        log.add_transfer(7, 0, 1, start, end)
    assert [step.start_s for step in log.steps] == [0.75, 1.5]
    assert [(transfer.request, transfer.end_s) for transfer in log.transfers] == [(7, 3.0)]


@pytest.mark.parametrize("bounds", [(2.0, 1.0), (1.0, 1.0), (-1.0, 1.0), (0.0, float("nan"))])
def test_an_impossible_range_is_refused(bounds):
    """The error names both ends."""
    with pytest.raises(ValueError, match=r"0 <= start_s < end_s"):
        StepLog(*bounds)
