"""Write a trace as one Parquet file in the format of :mod:`traces.store`."""

import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from traces.atomic_file import atomic_write
from traces.header import ContentHash
from traces.request_store import save_requests
from traces.requests import RequestTrace
from traces.routing import RoutingTrace
from traces.tokens import TokenTrace

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA = 1
ROW_GROUP_BYTES = 4 * 2**20


class Writer:
    """Write a trace block by block, in bounded memory.

    Use it as a context manager. The file appears under its name when the block ends without an
    error; otherwise nothing is left behind.

    Parameters
    ----------
    path
        The file to write; an existing one is replaced.

    Raises
    ------
    ValueError
        From :meth:`append`, if a block's header or columns differ from the first one's.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._open_file = ExitStack()  # closes the Parquet file, then gives it its name
        self._writer: Any = None
        self._header: dict[str, Any] = {}
        self._provenance: dict[str, str] = {}
        self._pending: list[dict[str, NDArray[Any]]] = []
        self._pending_bytes = 0
        self._samples = 0
        self._time_s = float("-inf")

    def append(self, block: RoutingTrace | TokenTrace) -> None:
        """Add the next steps or tokens."""
        columns = block.columns
        if not self._header:
            self._open(block, columns)
        if block.header != self._header or list(columns) != self._names:
            raise ValueError(
                f"{self._path}: a block has {block.header} and columns {list(columns)}, the first "
                f"had {self._header} and {self._names}; a file holds one trace"
            )
        if "sample" in columns:
            # Samples of every block are numbered from 0: number them on.
            columns["sample"] = columns["sample"] + self._samples
            self._samples = int(columns["sample"][-1]) + 1
        if "time_s" in columns:
            self._check_times(columns["time_s"])
        self._pending.append(columns)
        self._pending_bytes += sum(column.nbytes for column in columns.values())
        if self._pending_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _open(self, block: RoutingTrace | TokenTrace, columns: "dict[str, NDArray[Any]]") -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._header, self._names = block.header, list(columns)
        self._provenance = dict(block.provenance or {})
        self._hash = ContentHash(block.header)
        fields = []
        for name, column in columns.items():
            kind = pa.from_numpy_dtype(column.dtype)
            if column.ndim == 2:
                kind = pa.list_(pa.field("item", kind, nullable=False), column.shape[1])
            fields.append(pa.field(name, kind, nullable=False))
        self._schema = pa.schema(fields)
        file = self._open_file.enter_context(atomic_write(self._path))
        writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._writer = self._open_file.enter_context(writer)

    def _check_times(self, times: "NDArray[np.float64]") -> None:
        if times[0] < self._time_s:
            raise ValueError(
                f"{self._path}: a block starts at time_s = {times[0]} < {self._time_s}, where the "
                "one before it ended; order the steps by time"
            )
        self._time_s = float(times[-1])

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._pending:
            return
        arrays = []
        for field in self._schema:
            column = np.concatenate([columns[field.name] for columns in self._pending])
            self._hash.update(field.name, column)
            flat = pa.array(column.ravel())
            wide = column.ndim == 2
            arrays.append(
                pa.FixedSizeListArray.from_arrays(flat, type=field.type) if wide else flat
            )
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        rows = max(1, ROW_GROUP_BYTES * table.num_rows // max(table.nbytes, 1))
        self._writer.write_table(table, row_group_size=rows)
        self._pending, self._pending_bytes = [], 0

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._open_file.__exit__(kind, error, trace)
            return
        if self._writer is None:
            raise ValueError(f"{self._path}: no block was written; a trace has steps or tokens")
        with self._open_file:
            self._flush()
            header = {"schema": SCHEMA, **self._header, "provenance": self._provenance}
            header["content_hash"] = self._hash.hexdigest()
            text = json.dumps(header, sort_keys=True)
            self._writer.add_key_value_metadata({"podlab": text})


def save(trace: RoutingTrace | TokenTrace | RequestTrace, path: str | Path) -> None:
    """Write ``trace`` as one store file, under its name only once it is complete."""
    if isinstance(trace, RequestTrace):
        save_requests(trace, path)
        return
    with Writer(path) as writer:
        writer.append(trace)
