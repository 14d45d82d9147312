"""Strangers' programs, each in a process of its own, where only the past arrives."""

from evaluation.candidates.sandbox.limits import Limits
from evaluation.candidates.sandbox.solver import Sandboxed

__all__ = ["Limits", "Sandboxed"]
