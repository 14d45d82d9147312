"""Sandbox of untrusted programs: each runs in its own process, which gets past loads only."""

from evaluation.candidates.sandbox.limits import Limits
from evaluation.candidates.sandbox.solver import SandboxedSolver

__all__ = ["Limits", "SandboxedSolver"]
