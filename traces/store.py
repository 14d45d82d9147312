"""The trace store: one Parquet file a trace, written and read by row groups.

A row is a step (columns ``step_tokens``, ``counts`` and, where known, ``time_s``) or a token
(``experts`` and, where known, ``step``, ``source_rank``, ``sample``). The file's metadata holds
the header as JSON under ``podlab``: schema version, kind, model, top_k, phase, layers, experts,
provenance, content hash.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.header import ContentHash, header_of
from traces.routing import RoutingTrace
from traces.tokens import TokenTrace
from traces.writer import SCHEMA

WIDE = {"routing": "counts", "token": "experts"}


class StoredTrace:
    """A trace on disk, read chunk by chunk.

    Parameters
    ----------
    path
        A file that :func:`traces.save` or :class:`traces.Writer` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, cut short, no Parquet file, not of this store, or of a schema
        version that this podlab does not read. From :meth:`blocks` and :meth:`load`: if what is
        read does not hash to what was written, or breaks a rule of the trace's type.
    """

    def __init__(self, path: str | Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"{self.path}: there is no such trace file")
        try:
            self._file = pq.ParquetFile(self.path)
        except (pa.ArrowException, OSError, ValueError) as error:
            size = self.path.stat().st_size
            raise ValueError(
                f"{self.path}: not a Parquet file, or cut short at {size} bytes ({error}); "
                "write or copy it again"
            ) from None
        header = self._read_header()
        self.kind = str(header["kind"])
        self.model = str(header["model"])
        self.top_k = int(header["top_k"])
        self.phase = str(header["phase"])
        self.num_layers = int(header["layers"])
        self.num_experts = int(header["experts"])
        self.provenance: dict[str, str] = header["provenance"]
        self.content_hash = str(header["content_hash"])
        self.num_rows = int(self._file.metadata.num_rows)

    def _read_header(self) -> dict[str, Any]:
        text = (self._file.metadata.metadata or {}).get(b"podlab")
        if text is None:
            raise ValueError(f"{self.path}: a Parquet file, but no podlab trace; import it first")
        try:
            header: Any = json.loads(text)
        except ValueError as error:
            raise ValueError(
                f"{self.path}: the header is damaged ({error}); write it again"
            ) from None
        if not isinstance(header, dict):
            raise ValueError(f"{self.path}: the header is no object; write the trace again")
        if header.get("schema") != SCHEMA:
            raise ValueError(
                f"{self.path}: schema version {header.get('schema')!r}; this podlab reads "
                f"{SCHEMA}; write the trace again, or use the podlab that wrote it"
            )
        if header.get("kind") == "request":
            raise ValueError(f"{self.path}: holds requests, not routing; traces.open() reads both")
        needed = {"kind", "model", "top_k", "phase", "layers", "experts", "provenance"}
        lacking = sorted((needed | {"content_hash"}) - set(header))
        wrong = [k for k in ("top_k", "layers", "experts") if type(header.get(k)) is not int]
        if not lacking and wrong:
            raise ValueError(f"{self.path}: {wrong} of the header are no integers; write it again")
        if lacking or header["kind"] not in WIDE:
            raise ValueError(f"{self.path}: the header lacks {lacking or 'a known kind'}")
        for column in ("step_tokens", "counts") if header["kind"] == "routing" else ("experts",):
            if column not in self._file.schema_arrow.names:
                raise ValueError(f"{self.path}: column {column!r} is missing; write it again")
        return dict(header)

    @property
    def num_steps(self) -> int:
        """Steps of the trace.

        Raises
        ------
        ValueError
            If it holds tokens that are not in steps.
        """
        if self.kind == "routing":
            return self.num_rows
        self._need_steps()
        last = self._file.read_row_group(self._file.num_row_groups - 1, columns=["step"])
        return int(last["step"][-1].as_py()) + 1

    @property
    def column_names(self) -> tuple[str, ...]:
        """What the file holds of each step or token."""
        return tuple(self._file.schema_arrow.names)

    @property
    def has_steps(self) -> bool:
        """Whether each row belongs to a step: counts always, tokens where it is recorded."""
        return self.kind == "routing" or "step" in self.column_names

    def _need_steps(self) -> None:
        if not self.has_steps:
            raise ValueError(f"{self.path}: the tokens are not in steps; load() and split() it")

    def parts(self) -> Iterator[RoutingTrace | TokenTrace]:
        """Yield the row groups as traces of their own, and check the content hash at the end."""
        yield from (part for _, part in self._groups())

    def whole_samples(self) -> Iterator[TokenTrace]:
        """Yield tokens as :meth:`parts` does, but never cut within a recorded sample."""
        held: dict[str, NDArray[Any]] = {}
        for columns, part in self._groups():
            if "sample" not in columns:
                assert isinstance(part, TokenTrace)
                yield part
                continue
            # The last sample of a group may go on in the next one: it is held back.
            held = {k: np.concatenate([held[k], v]) if held else v for k, v in columns.items()}
            whole = int(np.searchsorted(held["sample"], held["sample"][-1]))
            if whole:
                yield self._token_part({name: held[name][:whole] for name in held})
                held = {name: held[name][whole:] for name in held}
        if held:
            yield self._token_part(held)

    def _groups(self) -> Iterator[tuple[dict[str, NDArray[Any]], RoutingTrace | TokenTrace]]:
        import pyarrow as pa

        digest = ContentHash(header_of(self.kind, self))
        for group in range(self._file.num_row_groups):
            try:
                table = self._file.read_row_group(group, use_threads=False)
            except (pa.ArrowException, OSError) as error:
                raise ValueError(f"{self.path}: row group {group} is damaged ({error})") from None
            try:
                columns = {name: _to_numpy(table[name]) for name in table.column_names}
                part = self._part(columns)
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"{self.path}: row group {group}: {error}") from None
            for name, column in columns.items():
                digest.update(name, column)
            yield columns, part
        if digest.hexdigest() != self.content_hash:
            raise ValueError(
                f"{self.path}: the contents hash to {digest.hexdigest()[:12]}…, the header says "
                f"{self.content_hash[:12]}…; the file was damaged or edited, write it again"
            )

    def _part(self, columns: dict[str, NDArray[Any]]) -> RoutingTrace | TokenTrace:
        wide = columns[WIDE[self.kind]].reshape(len(columns[WIDE[self.kind]]), self.num_layers, -1)
        if self.kind == "routing":
            if wide.shape[2] != self.num_experts:
                raise ValueError(f"{wide.shape[2]} experts, the header says {self.num_experts}")
            return RoutingTrace(
                wide,
                self.model,
                self.top_k,
                self.phase,
                columns["step_tokens"],
                self.provenance,
                columns.get("time_s"),
            )
        return self._token_part(columns)

    def _token_part(self, columns: dict[str, NDArray[Any]]) -> TokenTrace:
        wide = columns["experts"].reshape(len(columns["experts"]), self.num_layers, -1)
        lengths = None
        if "sample" in columns:
            lengths = np.bincount(columns["sample"] - columns["sample"][0])
        return TokenTrace(
            wide,
            self.num_experts,
            self.model,
            self.phase,
            columns.get("step"),
            columns.get("source_rank"),
            lengths,
            self.provenance,
        )

    def blocks(self) -> Iterator[RoutingTrace]:
        """Yield the counts of all steps in order, a row group's worth at a time."""
        if self.kind == "routing":
            yield from (part for part in self.parts() if isinstance(part, RoutingTrace))
            return
        self._need_steps()
        yield from counted(part for part in self.parts() if isinstance(part, TokenTrace))

    def load(self) -> RoutingTrace | TokenTrace:
        """Return the whole trace in memory, its content hash checked."""
        parts = list(self.parts())
        if len(parts) == 1:
            return parts[0]
        names = list(parts[0].columns)
        columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in names}
        if "sample" in columns:  # numbered afresh in every row group; the file knows better
            columns["sample"] = _to_numpy(self._file.read(columns=["sample"])["sample"])
        return self._part(columns)

    def __reduce__(self) -> tuple[type["StoredTrace"], tuple[Path]]:
        return StoredTrace, (self.path,)

    def __repr__(self) -> str:
        return f"StoredTrace({self.path.name}: {self.model}, {self.kind}, {self.num_rows} rows)"


def _to_numpy(column: Any) -> NDArray[Any]:
    """Return a column as an array, wide where the rows are lists.

    The buffer is read as it is: pyarrow's own ``to_numpy`` would import pandas.
    """
    chunk = column.combine_chunks()
    wide = hasattr(chunk.type, "list_size")
    flat = chunk.flatten() if wide else chunk
    if chunk.null_count or flat.null_count:
        raise ValueError("a column has empty cells; every step and token is complete")
    values = np.frombuffer(flat.buffers()[1], dtype=np.dtype(str(flat.type)))
    values = values[flat.offset : flat.offset + len(flat)]
    return values.reshape(-1, chunk.type.list_size) if wide else values


def counted(parts: Iterator[TokenTrace]) -> Iterator[RoutingTrace]:
    """Count steps of a stream of tokens; the last step of a part may go on in the next one."""
    held: RoutingTrace | None = None  # the last step so far, its number below
    number = 0
    for part in parts:
        assert part.step is not None
        found = replace(part, step=part.step - number).counts()
        number = int(part.step[-1])
        if held is not None:
            found = _with_first(found, held)
        if found.num_steps > 1:
            yield found.slice(0, found.num_steps - 1)
        held = found.slice(found.num_steps - 1)
    if held is not None:
        yield held


def _with_first(counted: RoutingTrace, held: RoutingTrace) -> RoutingTrace:
    """Add the one step ``held`` to the first of ``counted``."""
    assert counted.step_tokens is not None
    assert held.step_tokens is not None
    counts, tokens = counted.counts.copy(), counted.step_tokens.copy()
    counts[0] += held.counts[0]
    tokens[0] += held.step_tokens[0]
    return replace(counted, counts=counts, step_tokens=tokens)
