"""Workloads: requests times routing, composed into the steps of an engine."""

from traces.workload.batching import ContinuousBatching
from traces.workload.condition_routing import ConditionRouting
from traces.workload.domain_schedule import DomainSchedule
from traces.workload.engine_steps import EngineSteps
from traces.workload.engine_window import EngineWindow
from traces.workload.engine_workload import EngineWorkload
from traces.workload.even_routing import EvenRouting
from traces.workload.law_routing import LawRouting
from traces.workload.load_routing import load_routing
from traces.workload.recorded_routing import RecordedRouting
from traces.workload.recording_workload import RecordingWorkload
from traces.workload.routing_model import RoutingModel, RoutingSampler
from traces.workload.sequence_kinds import SequenceKinds
from traces.workload.step_draws import StepRouting
from traces.workload.token_filter import TokenFilter
from traces.workload.workload import Workload
from traces.workload.workload_file import load

__all__ = [
    "ConditionRouting",
    "ContinuousBatching",
    "DomainSchedule",
    "EngineSteps",
    "EngineWindow",
    "EngineWorkload",
    "EvenRouting",
    "LawRouting",
    "RecordedRouting",
    "RecordingWorkload",
    "RoutingModel",
    "RoutingSampler",
    "SequenceKinds",
    "StepRouting",
    "TokenFilter",
    "Workload",
    "load",
    "load_routing",
]
