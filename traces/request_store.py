"""Requests in the store: one Parquet file, a row a request.

Columns ``arrival_s`` (double), ``prompt_tokens``, ``output_tokens`` (int64) and, where known,
``session`` (int64), ``domain`` (int32), ``prefix_hashes`` (list of int64). The file's metadata
holds the header as JSON under ``podlab``: schema version, kind "request", block_tokens,
domain_names, provenance, content hash.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.atomic_file import atomic_write
from traces.header import ContentHash
from traces.requests import DTYPES, RequestTrace

SCHEMA = 1
ROWS_PER_GROUP = 2**17
PLAIN = [name for name in DTYPES if not name.startswith("prefix_")]
NEEDED = ("arrival_s", "prompt_tokens", "output_tokens")


def save_requests(trace: RequestTrace, path: str | Path) -> None:
    """Write ``trace`` as one store file, under its name only once it is complete."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = dict(trace.columns)
    arrays = {name: pa.array(columns[name]) for name in PLAIN if name in columns}
    fields = [pa.field(name, array.type, nullable=False) for name, array in arrays.items()]
    if trace.prefix_hashes is not None:
        item = pa.field("item", pa.int64(), nullable=False)
        fields.append(pa.field("prefix_hashes", pa.large_list(item), nullable=False))
        ends = np.concatenate([[0], np.cumsum(columns["prefix_blocks"])])
        arrays["prefix_hashes"] = pa.LargeListArray.from_arrays(
            pa.array(ends), pa.array(columns["prefix_hashes"]), type=fields[-1].type
        )
    header = {"schema": SCHEMA, **trace.header, "provenance": dict(trace.provenance or {})}
    header["content_hash"] = trace.content_hash
    metadata = {"podlab": json.dumps(header, sort_keys=True)}
    table = pa.Table.from_arrays(list(arrays.values()), schema=pa.schema(fields, metadata=metadata))
    # numbers that mostly rise by one, as ids and times do, pack into little as differences
    encodings = {
        name: "BYTE_STREAM_SPLIT" if name == "arrival_s" else "DELTA_BINARY_PACKED"
        for name in arrays
    }
    if "prefix_hashes" in encodings:
        encodings["prefix_hashes.list.element"] = encodings.pop("prefix_hashes")
    with atomic_write(path) as file:
        pq.write_table(
            table,
            file,
            compression="zstd",
            row_group_size=ROWS_PER_GROUP,
            use_dictionary=False,
            column_encoding=encodings,
        )


class StoredRequests:
    """Requests on disk.

    Parameters
    ----------
    path
        A file that :func:`traces.save` wrote from a :class:`traces.RequestTrace`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, cut short, no Parquet file, holds no requests, or is of a schema
        version that this podlab does not read. From :meth:`load`: if what is read does not hash
        to what was written, or breaks a rule of the type.
    """

    kind = "request"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = _opened(self.path)
        header = self._read_header()
        self.block_tokens: int | None = header["block_tokens"]
        self.domain_names: tuple[str, ...] = tuple(header["domain_names"])
        self.provenance: dict[str, str] = header["provenance"]
        self.content_hash = str(header["content_hash"])
        self.num_rows = int(self._file.metadata.num_rows)

    def _read_header(self) -> dict[str, Any]:
        header = header_in(self.path, self._file.metadata)
        if header.get("kind") != "request":
            raise ValueError(f"{self.path}: holds {header.get('kind')!r}, not requests")
        if header.get("schema") != SCHEMA:
            raise ValueError(
                f"{self.path}: schema version {header.get('schema')!r}; this podlab reads "
                f"{SCHEMA}; write the trace again, or use the podlab that wrote it"
            )
        kinds = {"block_tokens": int | None, "domain_names": list, "provenance": dict}
        for key, kind in {**kinds, "content_hash": str}.items():
            if key not in header or not isinstance(header[key], kind):
                raise ValueError(f"{self.path}: {key!r} of the header is lacking or wrong")
        return header

    def load(self) -> RequestTrace:
        """Return the whole trace in memory, its content hash checked."""
        import pyarrow as pa

        try:
            table = self._file.read(use_threads=False)
            columns = _columns(table)
            trace = RequestTrace(
                **columns,
                domain_names=self.domain_names,
                block_tokens=self.block_tokens,
                provenance=self.provenance,
            )
        except (pa.ArrowException, OSError, ValueError, TypeError) as error:
            raise ValueError(f"{self.path}: {error}") from None
        digest = ContentHash(trace.header)
        for name, column in columns.items():
            digest.update(name, column)
        if digest.hexdigest() != self.content_hash:
            raise ValueError(
                f"{self.path}: the contents hash to {digest.hexdigest()[:12]}…, the header says "
                f"{self.content_hash[:12]}…; the file was damaged or edited, write it again"
            )
        return trace

    def __reduce__(self) -> tuple[type["StoredRequests"], tuple[Path]]:
        return StoredRequests, (self.path,)

    def __repr__(self) -> str:
        return f"StoredRequests({self.path.name}: {self.num_rows} requests)"


def _opened(path: Path) -> Any:
    """Open a Parquet file, or say what is wrong with it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such trace file")
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(
            f"{path}: not a Parquet file, or cut short at {path.stat().st_size} bytes ({error}); "
            "write or copy it again"
        ) from None


def header_in(path: Path, metadata: Any) -> dict[str, Any]:
    """Return the podlab header in a Parquet file's metadata."""
    text = (metadata.metadata or {}).get(b"podlab")
    if text is None:
        raise ValueError(f"{path}: a Parquet file, but no podlab trace; import it first")
    try:
        header: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: the header is damaged ({error}); write it again") from None
    if not isinstance(header, dict):
        raise ValueError(f"{path}: the header is no object; write the trace again")
    return header


def holds_requests(path: Path) -> bool:
    """Whether a store file says that it holds requests; False for one that cannot be read."""
    try:
        return header_in(path, _opened(path).metadata).get("kind") == "request"
    except (ValueError, OSError):
        return False


def _columns(table: Any) -> dict[str, NDArray[Any]]:
    """Return the columns of a table by name, the hashes of all requests in one."""
    import pyarrow as pa

    known = {*PLAIN, "prefix_hashes"}
    lacking = [name for name in NEEDED if name not in table.column_names]
    unknown = [name for name in table.column_names if name not in known]
    if lacking or unknown:
        raise ValueError(f"columns {lacking} are missing and {unknown} unknown; write it again")
    columns = {}
    for name in table.column_names:
        chunk = table[name].combine_chunks()
        if chunk.null_count:
            raise ValueError(f"column {name!r} has empty cells; every request is complete")
        if name != "prefix_hashes":
            columns[name] = _numbers(chunk, name, DTYPES[name])
            continue
        if not (pa.types.is_list(chunk.type) or pa.types.is_large_list(chunk.type)):
            raise ValueError(f"column {name!r} is {chunk.type}, no list; write it again")
        columns["prefix_blocks"] = _numbers(chunk.value_lengths(), name).astype(np.int64)
        columns[name] = _numbers(chunk.flatten(), name, np.int64)
    return columns


def _numbers(array: Any, name: str, dtype: Any = None) -> NDArray[Any]:
    """Return the buffer as it is; pyarrow's own ``to_numpy`` would import pandas."""
    found = np.dtype(str(array.type).replace("double", "float64"))
    if array.null_count or (dtype is not None and found != dtype):
        raise ValueError(f"column {name!r} holds {array.type}, perhaps with gaps; write it again")
    if len(array) == 0:
        return np.zeros(0, dtype=found)
    values = np.frombuffer(array.buffers()[1], dtype=found)
    return values[array.offset : array.offset + len(array)]
