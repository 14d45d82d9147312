"""Traces: routing and requests, recorded or generated, in memory and on disk.

Examples
--------
>>> import traces
>>> trace = traces.load("olmoe-domains")
>>> trace
RoutingTrace(olmoe-1b-7b: 6 steps, 3 layers, 64 experts, top-8, prefill)
"""

from traces.bundled import available, load, open
from traces.concatenate import concat
from traces.condition_names import condition_names, condition_phases, has_conditions
from traces.domain_routing import DomainRouting
from traces.generated import GENERATED, ar1_counts, generate
from traces.merge import follow, merge
from traces.recorded_conditions import read_conditions
from traces.request_store import StoredRequests
from traces.requests import RequestTrace
from traces.routing import RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace
from traces.writer import Writer, save

__all__ = [
    "GENERATED",
    "DomainRouting",
    "RequestTrace",
    "RoutingTrace",
    "StoredRequests",
    "StoredTrace",
    "TokenTrace",
    "Writer",
    "ar1_counts",
    "available",
    "concat",
    "condition_names",
    "condition_phases",
    "follow",
    "generate",
    "has_conditions",
    "load",
    "merge",
    "open",
    "read_conditions",
    "save",
]
