"""What turns composed steps into expert counts, for one stream of steps."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from traces.workload.composition import Composition


class TokenSource(Protocol):
    """Routes the tokens of one stream, piece by piece in order of time."""

    def counts(self, composition: Composition, /) -> NDArray[np.int32]:
        """Return counts [steps, layers, experts] of the next steps."""
        ...

    def add(
        self, total: NDArray[np.int64], composition: Composition, chosen: NDArray[np.int64], /
    ) -> NDArray[np.int32]:
        """Add the counts of the next steps to ``total`` [layers, experts].

        Returns counts [len(chosen), layers, experts] of the ``chosen`` of them, rising. They are
        in the total, too: steps and total are drawn together.
        """
        ...
