"""A serving simulation in files: requests and samples as CSV or Parquet, the summary as JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.serving.engine.log import SAMPLE_COLUMNS, RequestLog, SampleLog
from evaluation.serving.faults.fault import Fault
from evaluation.serving.results.slo import tpot_s, ttft_s
from evaluation.serving.scenario.fault_table import as_table
from traces.atomic_file import atomic_path, atomic_write

ROWS_PER_GROUP = 2**16
SUFFIXES = (".csv", ".parquet")


def write_requests(log: RequestLog, path: Path) -> None:
    """Write a row for every request of the trace.

    Columns are ``request``, its number in the trace, those of the log, ``ttft_s`` and ``tpot_s``;
    times that are not known are empty, places -1.

    Parameters
    ----------
    log
        The requests.
    path
        Ends in .csv or .parquet, which says how.

    Raises
    ------
    ValueError
        If it ends in anything else.
    """
    columns = {
        "request": np.arange(len(log)),
        **log.columns,
        "ttft_s": ttft_s(log),
        "tpot_s": tpot_s(log),
    }
    _write_rows(len(log), lambda rows: {name: all_[rows] for name, all_ in columns.items()}, path)


def write_samples(samples: SampleLog, path: Path) -> None:
    """Write a row for every sample, task executors by name; else as :func:`write_requests`."""
    columns = {name: samples[name] for name in SAMPLE_COLUMNS}
    names = np.array(samples.executors, dtype=object)

    def part(rows: slice) -> dict[str, Any]:
        found: dict[str, Any] = {name: column[rows] for name, column in columns.items()}
        return {**found, "executor": names[found["executor"]]}

    _write_rows(len(samples), part, path)


def write_summary(summary: Mapping[str, Any], path: Path) -> None:
    """Write a summary as JSON, whole or not at all."""
    text = json.dumps(summary, indent=1, allow_nan=False)
    with atomic_write(path, "w") as file:
        file.write(text + "\n")


def write_faults(faults: Sequence[Fault], path: Path) -> None:
    """Write faults, random ones too, as [[fault]] tables (.toml) that can be simulated again."""
    tables = (
        "[[fault]]\n"
        + "".join(f"{key} = {json.dumps(value)}\n" for key, value in as_table(fault).items())
        for fault in faults
    )
    with atomic_write(path, "w") as file:
        file.write("\n".join(tables))


def _write_rows(length: int, part: Callable[[slice], Mapping[str, Any]], path: Path) -> None:
    """Write rows a group at a time, so that memory holds one group beside the columns."""
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: suffix {path.suffix!r} is none of {SUFFIXES}; name one of them")

    def batch(start: int) -> Any:
        columns = part(slice(start, min(start + ROWS_PER_GROUP, length)))
        # from_pandas: nan, a time that is not known, becomes null
        return pa.table({name: pa.array(one, from_pandas=True) for name, one in columns.items()})

    first = batch(0)
    fields = [
        pa.field(one.name, pa.string() if one.type == pa.null() else one.type)
        for one in first.schema
    ]
    schema = pa.schema(fields)
    with atomic_path(path) as partial:
        if path.suffix == ".csv":
            writer = pc.CSVWriter(partial, schema)
        else:
            writer = pq.ParquetWriter(partial, schema, compression="zstd")
        with writer:
            writer.write_table(first.cast(schema))
            for start in range(ROWS_PER_GROUP, length, ROWS_PER_GROUP):
                writer.write_table(batch(start).cast(schema))
