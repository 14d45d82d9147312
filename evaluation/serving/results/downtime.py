"""How long task executors stand still after faults, read from samples."""

from collections.abc import Sequence

import numpy as np

from evaluation.serving.engine.log import SampleLog
from evaluation.serving.faults.fault import Fault


def recovery_s(samples: SampleLog, faults: Sequence[Fault], last_s: float) -> float | None:
    """Return the mean time from a fault until its task executor steps again; None without faults.

    Read from samples, so that it is exact to their interval. A fault counts 0 where the executor
    stepped in every interval that began after it. One whose executor never steps again counts until
    ``last_s``, or the last sample without a step if that is later: no traffic may be left to show
    its return.

    Parameters
    ----------
    samples
        Of all executors; their names are those of the faults.
    faults
        What broke.
    last_s
        When the last request arrived.
    """
    waits = [_wait_s(samples, fault, last_s) for fault in faults]
    return float(np.mean(waits)) if waits else None


def _wait_s(samples: SampleLog, fault: Fault, last_s: float) -> float:
    mine = samples.of(samples.executors.index(fault.executor))
    ends_s, steps = mine["time_s"], mine["steps"]
    began_s = np.concatenate([[0.0], ends_s[:-1]])
    whole = began_s >= fault.at_s
    still = np.flatnonzero(whole & (steps == 0) & (began_s <= last_s))
    # a pause for want of traffic later on is no part of the outage
    first = np.flatnonzero(whole)[:1]
    if not len(still) or still[0] != first[0]:
        return 0.0
    again = np.flatnonzero(whole & (steps > 0))
    end_s = float(ends_s[again[0]]) if len(again) else max(last_s, float(began_s[still[-1]]))
    return end_s - fault.at_s
