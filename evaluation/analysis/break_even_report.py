"""The break-even map as plain data: rows, break-even skews, the cost of a slot, and CSV."""

import csv
import dataclasses
import math
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

from evaluation.analysis.break_even import break_even_skew
from evaluation.analysis.break_even_grid import BreakEvenCell, BreakEvenGrid, BreakEvenSetting
from hardware import Device, Model, Operators
from hardware.rooflines import FORMAT_BYTES
from traces.atomic_file import atomic_write


def rows(cells: Iterable[BreakEvenCell]) -> list[dict[str, Any]]:
    """Return the cells as flat rows. Numbers that are not finite are None."""
    flat = []
    for cell in cells:
        row = dataclasses.asdict(cell)
        row["change"] = cell.change()
        row["change_from_contiguous"] = cell.change("contiguous")
        row["verdict"] = cell.verdict
        flat.append(
            {
                key: None if isinstance(value, float) and not math.isfinite(value) else value
                for key, value in row.items()
            }
        )
    return flat


def break_evens(
    cells: list[BreakEvenCell], grid: BreakEvenGrid, against: str
) -> list[dict[str, Any]]:
    """Return the least skew at which replicas pay, for each combination of the other axes."""
    return [
        {
            "batch": batch,
            "ranks": ranks,
            "redundant": redundant,
            "bandwidth": bandwidth,
            "skew": break_even_skew(
                cells_along(cells, batch, ranks, redundant, bandwidth), against
            ),
        }
        for redundant, bandwidth, ranks, batch in product(
            grid.redundant, grid.bandwidth, grid.ranks, grid.batch
        )
    ]


def slot_cost(setting: BreakEvenSetting) -> dict[str, float]:
    """Return what one redundant slot per rank displaces, over all layers of the model.

    Returns
    -------
    dict
        ``bytes`` of weights on a rank; ``memory``, the fraction of the device that they take;
        ``kv_tokens`` of key-value cache that would fit instead, and ``sequences`` of the setting's
        context.
    """
    model, device = Model.preset(setting.model), Device.preset(setting.device)
    operators = Operators(device, model)
    weights = model.moe_layers * model.expert_bytes(operators.bytes_per_weight)
    cache = model.cache_bytes(setting.kv_tokens, FORMAT_BYTES[operators.kv_format])
    sequences = weights / cache
    return {
        "bytes": weights,
        "kv_tokens": sequences * setting.kv_tokens,
        "sequences": sequences,
        "memory": weights / device.hbm_bytes,
    }


def write_csv(cells: Iterable[BreakEvenCell], path: Path) -> None:
    """Write the rows as CSV, whole or not at all."""
    flat = rows(cells)
    with atomic_write(path, "w") as file:
        writer = csv.DictWriter(file, list(flat[0]))
        writer.writeheader()
        writer.writerows(flat)


def cells_along(
    cells: list[BreakEvenCell], batch: int, ranks: int, redundant: int, bandwidth: float
) -> list[BreakEvenCell]:
    """Return the cells of one combination of the other axes, in order of their skew."""
    combination = batch, ranks, redundant, bandwidth
    return sorted(
        (
            cell
            for cell in cells
            if (cell.batch, cell.ranks, cell.redundant, cell.bandwidth) == combination
        ),
        key=lambda cell: cell.skew,
    )
