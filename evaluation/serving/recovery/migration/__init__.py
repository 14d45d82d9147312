"""How a new placement gets onto the ranks while a task executor serves."""

import difflib
from collections.abc import Callable
from typing import Any

from evaluation.serving.recovery.migration.effect import Migration, MigrationEffect, masked_share
from evaluation.serving.recovery.migration.four_phase import FourPhase
from evaluation.serving.recovery.migration.layer_by_layer import LayerByLayer
from evaluation.serving.recovery.migration.stop_the_world import StopTheWorld
from evaluation.serving.recovery.migration.transfer import WeightTransfer

#: Each takes a weight transfer; further parameters have defaults.
MODES: dict[str, Callable[..., Migration]] = {
    "four-phase": FourPhase,
    "layer-by-layer": LayerByLayer,
    "stop-the-world": StopTheWorld,
}


def make_migration(mode: str, transfer: WeightTransfer, **params: Any) -> Migration:
    """Return a migration by the name of its mode.

    Parameters
    ----------
    mode
        A key of :data:`MODES`.
    transfer
        The weights to move.
    params
        Further parameters of the mode.

    Raises
    ------
    ValueError
        If there is no such mode, or a parameter is out of range.
    """
    if mode not in MODES:
        near = difflib.get_close_matches(str(mode), MODES, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown migration mode {mode!r}: {hint}there are {', '.join(MODES)}")
    return MODES[mode](transfer, **params)


__all__ = [
    "MODES",
    "FourPhase",
    "LayerByLayer",
    "Migration",
    "MigrationEffect",
    "StopTheWorld",
    "WeightTransfer",
    "make_migration",
    "masked_share",
]
