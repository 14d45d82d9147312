"""Grids of measured kernel timings, interpolated between the measured sizes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware import table

Array = NDArray[np.float64]
Key = tuple[Any, ...]

#: Columns that tell one grid from another, and its axes, by operator.
SHAPE_AND_AXES = {
    "gemm": (("format", "k", "n"), ("m",)),
    "grouped_gemm": (("format", "k", "n"), ("m", "groups")),
    "attention_decode": (("groups", "heads", "width", "v_width"), ("batch", "kv_tokens")),
}


@dataclass(frozen=True)
class TimingGrid:
    """Timings of kernels, looked up between the sizes that were measured.

    Parameters
    ----------
    points
        By operator and shape: logarithms of the sizes [rows, axes] and of the seconds [rows].
    """

    points: dict[Key, tuple[Array, Array]]

    @classmethod
    def from_rows(cls, rows: Sequence[dict[str, Any]]) -> "TimingGrid":
        """Sort the rows of a table of kernels into grids."""
        found: dict[Key, list[tuple[list[float], float]]] = {}
        for row in rows:
            if row["operator"] in SHAPE_AND_AXES:
                shape, axes = SHAPE_AND_AXES[row["operator"]]
                key = (row["operator"], *(row[name] for name in shape))
                found.setdefault(key, []).append(
                    ([np.log(row[axis]) for axis in axes], np.log(row["latency_us"] * 1e-6))
                )
        return cls(
            {
                key: (np.array([at for at, _ in many]), np.array([took for _, took in many]))
                for key, many in found.items()
            }
        )

    def seconds(self, operator: str, shape: Key, *sizes: ArrayLike) -> Array:
        """Interpolate linearly in logarithms.

        Parameters
        ----------
        operator, shape
            Which kernel; the shape's entries as in ``SHAPE_AND_AXES``.
        sizes
            [...] one array an axis.

        Returns
        -------
        ndarray
            [...] seconds; NaN where nothing was measured around, or at all.
        """
        grids = np.broadcast_arrays(*(np.asarray(size, dtype=np.float64) for size in sizes))
        if (operator, *shape) not in self.points:
            return np.full(grids[0].shape, np.nan)
        at, took = self.points[operator, *shape]
        # The logarithm of no tokens is -inf, which is outside of any grid: NaN.
        with np.errstate(divide="ignore"):
            wanted = np.log(np.stack(grids, axis=-1))
        if at.shape[1] == 1:
            order = np.argsort(at[:, 0])
            # Beyond the measured sizes NaN: nothing is extrapolated.
            line = np.interp(wanted[..., 0], at[order, 0], took[order], left=np.nan, right=np.nan)
            return np.asarray(np.exp(line))
        from scipy.interpolate import LinearNDInterpolator

        found = np.exp(LinearNDInterpolator(at, took)(wanted))
        return np.asarray(found).reshape(grids[0].shape)


@lru_cache(maxsize=8)
def load(name: str) -> TimingGrid:
    """Return the grids of a bundled table, or of a ``.csv`` file, read once a process.

    Raises
    ------
    ValueError
        If there is no such table, or a row is wrong.
    """
    return TimingGrid.from_rows(table.read_rows(table.find(name)))
