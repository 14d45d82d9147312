"""Write finished steps to a store file, a few thousand tokens at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.routing import RoutingTrace
from traces.tokens import TokenTrace
from traces.writer import Writer

#: Tokens held before they go to the file, and counts.
HELD_TOKENS, HELD_COUNTS = 2**13, 2**20


@dataclass(eq=False)
class RecordedSteps:
    """Collect finished steps and write them in chunks.

    Parameters
    ----------
    path
        The store file.
    experts, model, phase, provenance
        As in :class:`traces.TokenTrace`.
    counts
        Write how many tokens chose each expert instead of which did.
    """

    path: str | Path
    experts: int
    model: str
    phase: str
    provenance: Mapping[str, str]
    counts: bool
    finished: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._writer = Writer(self.path)
        self._held: list[TokenTrace] = []
        self._numbers: list[int] = []
        self._shape: tuple[int, ...] = ()
        self._written = 0

    def add(self, chosen: NDArray[Any]) -> None:
        """Add a finished step, [tokens, layers, top_k]; it may be without tokens.

        Raises
        ------
        ValueError
            Naming the step, if an id is out of range or repeated; the step is then not added.
        """
        if len(chosen):
            try:
                step = TokenTrace(chosen, self.experts, self.model, self.phase)
            except ValueError as error:
                raise ValueError(f"step {self.finished}: {error}") from None
            self._held.append(step)
            self._numbers.append(self.finished)
        self._shape = chosen.shape[1:]
        self.finished += 1
        full = sum(step.num_tokens for step in self._held) >= HELD_TOKENS
        if self.counts:
            steps = self.finished - self._written
            full = full or steps * chosen.shape[1] * self.experts >= HELD_COUNTS
        if full:
            self._write()

    def close(self, error: BaseException | None) -> None:
        """Complete the file, or leave nothing behind where there is an error."""
        if error is None:
            try:
                self._write()
            except BaseException as found:
                self.close(found)
                raise
        self._writer.__exit__(None if error is None else type(error), error, None)

    def _write(self) -> None:
        if self.finished == self._written or not (self._held or self.counts):
            return
        tokens = self._tokens() if self._held else None
        self._held, self._numbers = [], []
        block = self._counted(tokens) if self.counts else tokens
        assert block is not None
        self._writer.append(block)
        self._written = self.finished

    def _tokens(self) -> TokenTrace:
        lengths = [step.num_tokens for step in self._held]
        return TokenTrace(
            np.concatenate([step.experts for step in self._held]),
            self.experts,
            self.model,
            self.phase,
            np.repeat(self._numbers, lengths),
            provenance=self.provenance,
        )

    def _counted(self, tokens: TokenTrace | None) -> RoutingTrace:
        """Count the steps since the last chunk, those without tokens too."""
        steps, (layers, top_k) = self.finished - self._written, self._shape
        counts = np.zeros((steps, layers, self.experts), np.int32)
        each = np.zeros(steps, np.int64)
        if tokens is not None and tokens.step is not None:
            found = replace(tokens, step=tokens.step - self._written).counts()
            assert found.step_tokens is not None
            counts[: found.num_steps] = found.counts
            each[: found.num_steps] = found.step_tokens
        return RoutingTrace(counts, self.model, top_k, self.phase, each, self.provenance)
