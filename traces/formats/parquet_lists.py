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
from traces.formats.list_columns import chosen, is_list, opened, plain, schema_names
from traces.formats.pieces import tokens_piece
from traces.header import whole_numbers
from traces.tokens import TokenTrace

LAYER = re.compile(r"(?:layer_?)?(\d{1,9})")
BESIDE = ("step", "source_rank", "sample")
ROW_BYTES = 4 * 2**20  # of ids that a batch has about

Columns = dict[str, NDArray[Any]]


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
                yield _piece(whole, start, about, experts)
                start += _length(whole)
    if held is not None:
        yield _piece(held, start, about, experts)
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
    first, held, layers = 0, None, None
    with opened(file) as parquet:
        rows = max(1, ROW_BYTES // (16 * len(layout)))
        batches = parquet.iter_batches(rows, columns=layout + beside, use_threads=False)
        for batch in batches:
            if not batch.num_rows:
                continue
            found = {name: plain(batch[name], name, first) for name in beside}
            if long:
                found |= {name: plain(batch[name], name, first) for name in layout[1:]}
                found["experts"] = chosen(batch["experts"], 1, "experts", first)
                held = found if held is None else _joined(held, found)
                if layers is None:
                    layers = _first_layers(held)
                whole, held = _token_rows(held, layers, first + batch.num_rows)
                if whole is not None:
                    yield whole
            elif layout == ["experts"]:
                yield found | {"experts": chosen(batch["experts"], 2, "experts", first)}
            else:
                yield found | {"experts": _stacked(batch, layout, first)}
            first += batch.num_rows
        if first != parquet.metadata.num_rows:
            raise ValueError(f"{file.name} ends after {first} of {parquet.metadata.num_rows} rows")
    if held is not None and len(held["token"]):
        raise ValueError(
            f"the last token {held['token'][0]} has {len(held['token'])} layers, others have "
            f"{0 if layers is None else len(layers)}"
        )


def _stacked(batch: Any, names: list[str], first: int) -> NDArray[Any]:
    found = [chosen(batch[name], 1, name, first) for name in names]
    for ids, name in zip(found, names, strict=True):
        if ids.shape != found[0].shape:
            raise ValueError(
                f"{name} has {ids.shape[1]} choices a token, {names[0]} has {found[0].shape[1]}"
            )
    return np.stack(found, axis=1)


def _first_layers(rows: Columns) -> NDArray[Any]:
    """Return the layers of the first token."""
    same = rows["token"] == rows["token"][0]
    layers = rows["layer"][: len(same) if same.all() else int(np.argmin(same))]
    if (layers[1:] <= layers[:-1]).any():
        raise ValueError(
            f"the first token has the layers {layers[:8].tolist()}; give each once, in order"
        )
    return layers


def _token_rows(
    rows: Columns, layers: NDArray[Any], after: int
) -> tuple[Columns | None, Columns | None]:
    """Return whole tokens of rows of a token and layer each, and the rows that are left."""
    depth = len(layers)
    count = len(rows["token"]) // depth
    if not count:
        return None, rows
    first = after - len(rows["token"])
    cut = {name: column[: count * depth] for name, column in rows.items()}
    rest = {name: column[count * depth :] for name, column in rows.items()}
    tokens = cut["token"].reshape(count, depth)
    wrong = (tokens != tokens[:, :1]) | (cut["layer"].reshape(count, depth) != layers)
    wrong[1:, 0] |= tokens[1:, 0] == tokens[:-1, 0]
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"row {first + row} has token {cut['token'][row]} and layer {cut['layer'][row]}; every "
            f"token has the layers of the first, {layers[:8].tolist()}, in this order"
        )
    whole: Columns = {"experts": cut["experts"].reshape(count, depth, -1)}
    for name in BESIDE:
        if name in cut:
            values = cut[name].reshape(count, depth)
            if (values != values[:, :1]).any():
                row = int(np.argmax(values != values[:, :1]))
                raise ValueError(f"row {first + row} has another {name} than its token's first row")
            whole[name] = values[:, 0]
    return whole, rest if len(rest["token"]) else None


def _joined(before: Columns, after: Columns) -> Columns:
    for name in before:
        if name not in after or before[name].shape[1:] != after[name].shape[1:]:
            raise ValueError(
                f"{name} has {before[name].shape[1:]} layers and choices, then "
                f"{after[name].shape[1:] if name in after else 'none'}"
            )
    return {name: np.concatenate([before[name], after[name]]) for name in before}


def _length(rows: Columns | None) -> int:
    return 0 if rows is None else len(rows["experts"])


def _check_rises(values: NDArray[Any], before: int, name: str, first: int) -> None:
    ordered = np.concatenate([[before], whole_numbers(values, name, ("tokens",)).astype(np.int64)])
    if (ordered[1:] < ordered[:-1]).any():
        at = int(np.argmax(ordered[1:] < ordered[:-1]))
        raise ValueError(f"{name} falls at token {first + at}; order the tokens by {name}")


def _at_sample(held: Columns | None, rows: Columns) -> tuple[Columns | None, Columns | None]:
    """Return the rows up to the last sample's start, and those from there; all if there is none."""
    rows = rows if held is None else _joined(held, rows)
    if "sample" not in rows:
        return rows, None
    _check_rises(rows["sample"], -1, "sample", 0)
    cut = int(np.searchsorted(rows["sample"], rows["sample"][-1]))
    rest = {name: column[cut:] for name, column in rows.items()}
    return ({name: column[:cut] for name, column in rows.items()} if cut else None), rest


def _piece(rows: Columns, start: int, about: About, experts: int) -> TokenTrace:
    lengths = None
    if "sample" in rows:
        changes = np.flatnonzero(np.diff(rows["sample"])) + 1
        lengths = np.diff(np.concatenate([[0], changes, [len(rows["sample"])]]))
    return tokens_piece(
        rows["experts"],
        start,
        about,
        experts,
        step=rows.get("step"),
        source_rank=rows.get("source_rank"),
        sample_lengths=lengths,
    )
