"""Statistics of routing: skew, drift, co-activation.

Examples
--------
>>> import traces
>>> from traces.statistics import summarise
>>> summary = summarise(traces.load("olmoe-domains"))
>>> round(summary.overall["hottest"], 2)
2.67
"""

from traces.statistics.summarise import summarise
from traces.statistics.summary import DESCRIPTIONS, Summary

__all__ = ["DESCRIPTIONS", "Summary", "summarise"]
