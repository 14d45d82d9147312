"""The slot map alone, as a NumPy array of integers [layers, slots]."""

import io

import numpy as np

from evaluation.files.placements.placement_format import PlacementFormat, SlotMap
from lb import Placement


def _write(placement: Placement, *_: object) -> bytes:
    file = io.BytesIO()
    np.save(file, placement.physical_to_logical)
    return file.getvalue()


def _read(content: bytes) -> SlotMap:
    stored = np.load(io.BytesIO(content), allow_pickle=False)
    if not isinstance(stored, np.ndarray):
        stored.close()
        raise ValueError("it is an archive of arrays; save the slot map with numpy.save")
    return SlotMap(stored)


NPY = PlacementFormat((".npy",), _write, _read)
