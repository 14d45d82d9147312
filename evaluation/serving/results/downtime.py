"""Downtime of task executors after faults, read from samples."""

from collections.abc import Sequence

import numpy as np

from evaluation.serving.engine.sample_log import SampleLog
from evaluation.serving.faults.fault import Fault


def recovery_s(samples: SampleLog, faults: Sequence[Fault], last_s: float) -> float | None:
    """Return the mean time from a fault until its task executor steps again; None without faults.

    It is read from samples, so it is exact to their interval. A fault counts 0 if the executor
    stepped in every interval that began after it. A fault whose executor never steps again counts
    until ``last_s``, or until the last sample without a step if that is later, because there may be
    no traffic left that shows its return.

    Parameters
    ----------
    samples
        Samples of all executors; their names are those of the faults.
    faults
        The faults.
    last_s
        Simulated second of the last arrival.
    """
    downtimes = [_downtime_s(samples, fault, last_s) for fault in faults]
    return float(np.mean(downtimes)) if downtimes else None


def _downtime_s(samples: SampleLog, fault: Fault, last_s: float) -> float:
    columns = samples.of(samples.executors.index(fault.executor))
    ends_s, steps = columns["time_s"], columns["steps"]
    began_s = np.concatenate([[0.0], ends_s[:-1]])
    whole = began_s >= fault.at_s
    stopped = np.flatnonzero(whole & (steps == 0) & (began_s <= last_s))
    # Downtime starts with the first interval. A later interval without steps lacks traffic only.
    first = np.flatnonzero(whole)[:1]
    if not len(stopped) or stopped[0] != first[0]:
        return 0.0
    stepping = np.flatnonzero(whole & (steps > 0))
    if len(stepping):
        end_s = float(ends_s[stepping[0]])
    else:
        end_s = max(last_s, float(began_s[stopped[-1]]))
    return end_s - fault.at_s
