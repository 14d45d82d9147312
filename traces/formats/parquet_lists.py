"""Tokens' expert ids in Parquet, as a Hugging Face data set or a notebook holds them.

One file, or a folder of them that are read one after another in the order of their names, in one
of three layouts. Lists are of integers, of any width and kind of Arrow list:

* a column a layer: ``layer_<n>``, ``layer<n>`` or ``<n>``, a list of expert ids for each token;
* ``experts``, a list of layers of lists of expert ids, a row a token;
* ``token``, ``layer`` and ``experts``, a row for each token and layer: rows of a token follow each
  other, its layers rise and are the same for every token. Neighbouring tokens differ in ``token``.

Beside them, a number a row: ``step`` and ``sample``, which never fall, and ``source_rank``. Further
columns are not read. The number of experts is not in it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats.about import About
from traces.formats.chunks import tokens_chunk
from traces.formats.list_columns import chosen, is_list, opened, plain, rows_at_once, schema_names
from traces.formats.token_rows import Columns, TokenRows, joined
from traces.header import whole_numbers
from traces.tokens import TokenTrace

LAYER = re.compile(r"(?:layer_?)?(\d{1,9})")
BESIDE = ("step", "source_rank", "sample")


def recognises(path: Path) -> bool:
    """Whether the file, or the first of a folder, has the columns of one of the layouts."""
    try:
        if path.is_dir():
            path = min(path.glob("*.parquet"))
        if path.suffix != ".parquet" or not path.is_file():
            return False
        _layout(schema_names(path), path.name)
    except (ValueError, OSError):
        return False
    return True


def blocks(path: Path, about: About) -> Iterator[TokenTrace]:
    """Yield the tokens, some at a time."""
    experts = about.needed_experts()
    files = [path]
    if path.is_dir():
        files = sorted(path.glob("*.parquet"))
        if not files:
            raise ValueError("has no .parquet file; give the folder that has them")
    start, held, last_step = 0, None, -1
    for file in files:
        kind = schema_names(file)
        layout = _layout(kind, file.name)
        columns = [name for name in BESIDE if name in kind]
        for rows in _rows(file, layout, columns):
            if "step" in rows:
                _check_rises(rows["step"], last_step, "step", start + _length(held))
                last_step = int(rows["step"][-1])
            whole, held = _at_sample(held, rows)
            if whole is not None:
                yield _chunk(whole, start, about, experts)
                start += _length(whole)
    if held is not None:
        yield _chunk(held, start, about, experts)
        start += _length(held)
    if not start:
        raise ValueError("has no tokens; give a row for each")


def _layout(kinds: dict[str, Any], name: str) -> list[str]:
    """Return the columns of experts: one a layer, ``experts``, or ``experts, token, layer``."""
    if not kinds:
        raise ValueError(f"{name} is a trace of podlab's own store; open it as it is")
    if "experts" in kinds:
        long = [column for column in ("token", "layer") if column in kinds]
        if len(long) == 1:
            raise ValueError(f"{name} has {long[0]!r} alone; give 'token' and 'layer', or neither")
        if is_list(kinds["experts"]):
            return ["experts", *long]
    layers = {}
    for column, kind in kinds.items():
        match = LAYER.fullmatch(column)
        if match is not None and is_list(kind):
            if int(match[1]) in layers:
                raise ValueError(f"{name} has layer {int(match[1])} twice; keep one column")
            layers[int(match[1])] = column
    if not layers:
        raise ValueError(
            f"{name} has the columns {', '.join(sorted(kinds))}; give lists in 'experts', or in "
            "'layer_<n>' for each layer"
        )
    return [layers[number] for number in sorted(layers)]


def _rows(file: Path, layout: list[str], beside: list[str]) -> Iterator[Columns]:
    """Yield ``experts`` [tokens, layers, choices] and the columns beside it, a batch at a time."""
    long = layout[1:] == ["token", "layer"]
    first, tokens = 0, TokenRows()
    with opened(file) as parquet:
        rows = rows_at_once(parquet, layout)
        batches = parquet.iter_batches(rows, columns=layout + beside, use_threads=False)
        for batch in batches:
            if not batch.num_rows:
                continue
            found = {name: plain(batch[name], name, first) for name in beside}
            if long:
                found |= {name: plain(batch[name], name, first) for name in layout[1:]}
                found["experts"] = chosen(batch["experts"], 1, "experts", first)
                whole = tokens.whole(found, beside)
                if whole is not None:
                    yield whole
            elif layout == ["experts"]:
                yield found | {"experts": chosen(batch["experts"], 2, "experts", first)}
            else:
                yield found | {"experts": _stacked(batch, layout, first)}
            first += batch.num_rows
        if first != parquet.metadata.num_rows:
            raise ValueError(f"{file.name} ends after {first} of {parquet.metadata.num_rows} rows")
    tokens.check_end()


def _stacked(batch: Any, names: list[str], first: int) -> NDArray[Any]:
    found = [chosen(batch[name], 1, name, first) for name in names]
    for ids, name in zip(found, names, strict=True):
        if ids.shape != found[0].shape:
            raise ValueError(
                f"{name} has {ids.shape[1]} choices a token, {names[0]} has {found[0].shape[1]}"
            )
    return np.stack(found, axis=1)


def _length(rows: Columns | None) -> int:
    return 0 if rows is None else len(rows["experts"])


def _check_rises(values: NDArray[Any], before: int, name: str, first: int) -> None:
    ordered = np.concatenate([[before], whole_numbers(values, name, ("tokens",)).astype(np.int64)])
    if (ordered[1:] < ordered[:-1]).any():
        at = int(np.argmax(ordered[1:] < ordered[:-1]))
        raise ValueError(f"{name} falls at token {first + at}; order the tokens by {name}")


def _at_sample(held: Columns | None, rows: Columns) -> tuple[Columns | None, Columns | None]:
    """Return the rows up to the last sample's start, and those from there; all if there is none."""
    rows = rows if held is None else joined(held, rows)
    if "sample" not in rows:
        return rows, None
    _check_rises(rows["sample"], -1, "sample", 0)
    cut = int(np.searchsorted(rows["sample"], rows["sample"][-1]))
    rest = {name: column[cut:] for name, column in rows.items()}
    return ({name: column[:cut] for name, column in rows.items()} if cut else None), rest


def _chunk(rows: Columns, start: int, about: About, experts: int) -> TokenTrace:
    lengths = None
    if "sample" in rows:
        changes = np.flatnonzero(np.diff(rows["sample"])) + 1
        lengths = np.diff(np.concatenate([[0], changes, [len(rows["sample"])]]))
    return tokens_chunk(
        rows["experts"],
        start,
        about,
        experts,
        step=rows.get("step"),
        source_rank=rows.get("source_rank"),
        sample_lengths=lengths,
    )
