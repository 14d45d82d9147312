"""The small simulation of the serving tests, for its report."""

from tests.evaluation.serving.conftest import log, result, samples, steps

__all__ = ["log", "result", "samples", "steps"]
