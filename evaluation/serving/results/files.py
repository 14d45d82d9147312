"""A serving simulation in files: requests and samples as CSV or Parquet, the summary as JSON."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.serving.engine.log import SAMPLE_COLUMNS, RequestLog, SampleLog
from evaluation.serving.faults.fault import Fault
from evaluation.serving.results.slo import tpot_s, ttft_s
from evaluation.serving.scenario.fault_table import as_table

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
    """Write a summary as JSON; the file has its name only once it is whole."""
    with _renamed(path) as partial:
        text = json.dumps(summary, indent=1, allow_nan=False)
        partial.write_text(text + "\n", encoding="utf-8")


def write_faults(faults: Sequence[Fault], path: Path) -> None:
    """Write faults as [[fault]] tables (.toml), those drawn at random too, to be played again."""
    with _renamed(path) as partial:
        tables = (
            "[[fault]]\n"
            + "".join(f"{key} = {json.dumps(value)}\n" for key, value in as_table(fault).items())
            for fault in faults
        )
        partial.write_text("\n".join(tables), encoding="utf-8")


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
    with _renamed(path) as partial:
        if path.suffix == ".csv":
            writer = pc.CSVWriter(partial, schema)
        else:
            writer = pq.ParquetWriter(partial, schema, compression="zstd")
        with writer:
            writer.write_table(first.cast(schema))
            for start in range(ROWS_PER_GROUP, length, ROWS_PER_GROUP):
                writer.write_table(batch(start).cast(schema))


@contextmanager
def _renamed(path: Path) -> Iterator[Path]:
    """Give a temporary name, which becomes ``path`` if all goes well."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
