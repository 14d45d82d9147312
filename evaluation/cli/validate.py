"""`podlab validate`: compare the machine model with published figures."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli import options
from evaluation.cli.tables import table_console
from evaluation.cli.usage_error import usage_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evaluation.validation.anchors import Anchor


def validate(
    family: Annotated[
        list[str] | None, typer.Option(help="Check only this family of anchors; repeatable.")
    ] = None,
    anchors: Annotated[
        list[Path] | None, typer.Option(help="Your own anchors (.toml) instead of the bundled.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every row of long tables.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Compare the machine model with published figures.

    Of the bundled figures as a whole, also leave out one device after the other and predict its
    kernels from those of the others.
    """
    from evaluation.validation import leave_out
    from evaluation.validation import validate as model
    from evaluation.validation.validation_table import render, render_left_out

    whole = not family and not anchors
    try:
        published = _anchors(anchors, family or [])
        results = _validate(published)
    except (ValueError, OSError) as error:
        usage_error(error)
    left_out = leave_out.leave_one_out(published) if whole else []
    if as_json:
        content = model.report(results, published)
        if whole:
            content["leave_one_device_out"] = leave_out.report(left_out)
        print(json.dumps(content, indent=1))
        return
    render(results, published, table_console(), every=every or bool(family))
    if whole:
        render_left_out(left_out, table_console())


def _anchors(paths: list[Path] | None, families: list[str]) -> "list[Anchor]":
    """Return the anchors of these families, or all of them."""
    from evaluation.validation import anchors as published

    anchors = published.load(paths)
    known = list(dict.fromkeys(anchor.family for anchor in anchors))
    if unknown := set(families) - set(known):
        raise ValueError(f"unknown family {sorted(unknown)}; there are {', '.join(known)}")
    return [anchor for anchor in anchors if not families or anchor.family in families]


def _validate(anchors: "Sequence[Anchor]") -> list[Any]:
    from evaluation.cli.progress import progress
    from evaluation.validation import validate as model

    with progress() as bar:
        task = bar.add_task("predicting", total=len(anchors))
        return model.validate(anchors, lambda _: bar.advance(task))
