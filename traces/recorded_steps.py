"""Steps as they are finished, to a store file a few thousand tokens at a time."""

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
    """Collect finished steps and write them in pieces.

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
        self.finished += 1
        size = self.finished - self._written
        counts = size * chosen.shape[1] * self.experts
        if self._held and (
            sum(step.num_tokens for step in self._held) >= HELD_TOKENS
            or (self.counts and counts >= HELD_COUNTS)
        ):
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
        if not self._held:
            return
        lengths = [step.num_tokens for step in self._held]
        tokens = TokenTrace(
            np.concatenate([step.experts for step in self._held]),
            self.experts,
            self.model,
            self.phase,
            np.repeat(self._numbers, lengths),
            provenance=self.provenance,
        )
        self._held, self._numbers = [], []
        self._writer.append(self._counted(tokens) if self.counts else tokens)
        self._written = self.finished

    def _counted(self, tokens: TokenTrace) -> RoutingTrace:
        """Count the steps since the last piece, those without tokens too."""
        assert tokens.step is not None
        found = replace(tokens, step=tokens.step - self._written).counts()
        assert found.step_tokens is not None
        idle = self.finished - self._written - found.num_steps  # steps without tokens at the end
        return replace(
            found,
            counts=np.pad(found.counts, ((0, idle), (0, 0), (0, 0))),
            step_tokens=np.pad(found.step_tokens, (0, idle)),
        )
