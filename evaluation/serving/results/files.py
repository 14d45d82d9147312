"""Files of a serving simulation: requests and samples as CSV or Parquet, the summary as JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.serving.engine.request_log import RequestLog
from evaluation.serving.engine.sample_log import SAMPLE_COLUMNS, SampleLog
from evaluation.serving.faults.fault import Fault
from evaluation.serving.results.slo import tpot_s, ttft_s
from evaluation.serving.scenario.fault_table import as_table
from traces.atomic_file import atomic_path, atomic_write

ROWS_PER_GROUP = 2**16
SUFFIXES = (".csv", ".parquet")


def write_requests(log: RequestLog, path: Path) -> None:
    """Write one row for every request of the trace.

    The columns are ``request`` (its number in the trace), those of the log, ``ttft_s`` and
    ``tpot_s``. Unknown times are empty; unknown executors are -1.

    Parameters
    ----------
    log
        Log of the requests.
    path
        The file. Its ending, .csv or .parquet, decides the format.

    Raises
    ------
    ValueError
        If the path has another ending.
    """
    columns = {
        "request": np.arange(len(log)),
        **log.columns,
        "ttft_s": ttft_s(log),
        "tpot_s": tpot_s(log),
    }
    _write_rows(
        len(log), lambda rows: {name: column[rows] for name, column in columns.items()}, path
    )


def write_samples(samples: SampleLog, path: Path) -> None:
    """Write one row for every sample, with names of task executors; see :func:`write_requests`."""
    columns = {name: samples[name] for name in SAMPLE_COLUMNS}
    names = np.array(samples.executors, dtype=object)

    def part(rows: slice) -> dict[str, Any]:
        group: dict[str, Any] = {name: column[rows] for name, column in columns.items()}
        return {**group, "executor": names[group["executor"]]}

    _write_rows(len(samples), part, path)


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
    """Write rows in groups, so that memory holds one converted group at a time."""
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: suffix {path.suffix!r} is none of {SUFFIXES}; use one of them")

    def batch(start: int) -> Any:
        columns = part(slice(start, min(start + ROWS_PER_GROUP, length)))
        # from_pandas: nan, an unknown time, becomes null
        return pa.table(
            {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
        )

    first = batch(0)
    fields = [
        # A column without any value in the first group has no type yet.
        pa.field(item.name, pa.string() if item.type == pa.null() else item.type)
        for item in first.schema
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
