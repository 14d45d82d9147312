"""Layers of a model that no token reached: dense ones, which a trace leaves out."""

import numpy as np
from numpy.typing import NDArray

#: From so many layers on, tokens in a single one are a fault of the recorder.
MANY = 8


def layer_note(used: NDArray[np.bool_]) -> dict[str, str]:
    """Return the provenance of a trace whose layers are some of the model's."""
    return {"layers": " ".join(str(layer) for layer in np.flatnonzero(used))}


def checked_used(used: NDArray[np.bool_], name: str) -> NDArray[np.bool_]:
    """Return which layers [layers] any token reached.

    Raises
    ------
    ValueError
        If none, or a single one of many, as a recorder does that counts all layers as one
        (kvcache-ai/sglang issues 45 and 46).
    """
    if not used.any():
        raise ValueError(
            f"{name} is 0 throughout and adds up to 0, but 0 < sum is needed; record while "
            "requests are served"
        )
    if used.sum() == 1 and len(used) > MANY:
        raise ValueError(
            f"{name} has tokens in layer {int(np.argmax(used))} alone, and 1 layer with tokens < 2 "
            f"of {len(used)} layers: the recorder counted all layers as one, or the model was cut; "
            "record it again"
        )
    return used
