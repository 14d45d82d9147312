"""Sweeps: run many tasks on this machine or a Ray cluster, and keep every finished record."""

from evaluation.records.sweep.runner import run, usable_cores
from evaluation.records.sweep.task import SweepTask

__all__ = ["SweepTask", "run", "usable_cores"]
