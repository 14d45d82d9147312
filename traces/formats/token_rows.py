"""Assemble tokens from rows of one token and one layer each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]


class TokenRows:
    """Whole tokens of the rows that came so far.

    Every token has a row for each layer of the first token, in the same order; neighbouring tokens
    differ in ``token``.
    """

    def __init__(self) -> None:
        self._held: Columns | None = None
        self._layers: NDArray[Any] | None = None
        self._rows = 0

    def whole(self, rows: Columns, beside: list[str]) -> Columns | None:
        """Return the tokens that are whole with these rows, ``experts`` as [tokens, layers, k].

        Parameters
        ----------
        rows
            ``token``, ``layer``, ``experts`` [rows, k] and the columns named in ``beside``.
        beside
            Columns that have one value a token.

        Raises
        ------
        ValueError
            If a token has other layers than the first, or two values in a column.
        """
        self._rows += len(rows["token"])
        held = rows if self._held is None else joined(self._held, rows)
        if self._layers is None:
            self._layers = _first_layers(held)
        whole, self._held = _token_rows(held, self._layers, beside, self._rows)
        return whole

    def check_end(self) -> None:
        """Raise ValueError if the last token lacks layers."""
        if self._held is not None and self._layers is not None:
            raise ValueError(
                f"the last token {self._held['token'][0]} has {len(self._held['token'])} layers, "
                f"others have {len(self._layers)}"
            )


def joined(before: Columns, after: Columns) -> Columns:
    """Return the rows of both, column by column.

    Raises
    ------
    ValueError
        If they have other columns, or lists of another length.
    """
    for name in before:
        if name not in after or before[name].shape[1:] != after[name].shape[1:]:
            raise ValueError(
                f"{name} has {before[name].shape[1:]} layers and choices, then "
                f"{after[name].shape[1:] if name in after else 'none'}"
            )
    return {name: np.concatenate([before[name], after[name]]) for name in before}


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
    rows: Columns, layers: NDArray[Any], beside: list[str], after: int
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
    for name in beside:
        values = cut[name].reshape(count, depth)
        if (values != values[:, :1]).any():
            row = int(np.argmax(values != values[:, :1]))
            raise ValueError(f"row {first + row} has another {name} than its token's first row")
        whole[name] = values[:, 0]
    return whole, rest if len(rest["token"]) else None
