"""The three arrays that deepseek-ai/EPLB returns, in an .npz file."""

import io

import numpy as np

from evaluation.files.placements.placement_format import PlacementFormat, SlotMap
from lb import Placement


def _write(placement: Placement, *_: object) -> bytes:
    file = io.BytesIO()
    np.savez(
        file,
        phy2log=placement.physical_to_logical,
        log2phy=placement.logical_to_physical,
        logcnt=placement.replica_count,
    )
    return file.getvalue()


def _read(content: bytes) -> SlotMap | None:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return SlotMap(arrays["phy2log"]) if "phy2log" in arrays.files else None


DEEPSEEK = PlacementFormat((".npz",), _write, _read)
