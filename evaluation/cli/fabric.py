"""`podlab fabric`: show a fabric."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli.usage_error import usage_error

if TYPE_CHECKING:
    from hardware import Fabric

app = typer.Typer(
    rich_markup_mode="markdown",
    help="Show fabrics and where their traffic meets.",
    no_args_is_help=True,
)
MEGABYTE = 1e6


@app.callback()
def _group() -> None:
    """Show fabrics and where their traffic meets."""


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Bundled fabric, or a .toml file.")],
    ranks: Annotated[int | None, typer.Option(help="Use only N dies. [default: all]")] = None,
    plane: Annotated[str | None, typer.Option(help="Network: ub, rdma, scale-up …")] = None,
    fail: Annotated[
        list[str] | None, typer.Option(help="Link a:b or switch that failed; repeatable.")
    ] = None,
    degrade: Annotated[
        list[str] | None,
        typer.Option(help="Link and the share of bandwidth it keeps, a:b=0.5; repeatable."),
    ] = None,
    traffic: Annotated[
        str, typer.Option(help="uniform, neighbour, or an .npy matrix of bytes [src, dst].")
    ] = "uniform",
    out: Annotated[
        Path | None, typer.Option(help="Draw into this .html, .svg or .png file.")
    ] = None,
) -> None:
    """Print the parts of a fabric and its fullest links, and draw it."""
    from evaluation.report import fabric_page, plot_page
    from hardware import Fabric

    try:
        if out is not None:
            plot_page.check(out, "--out")
        fabric = _degraded(Fabric.preset(name, ranks, plane), fail or [], degrade or [])
        sent = _matrix(traffic, fabric.num_ranks)
        _print(fabric, sent, traffic)
        if out is not None:
            fabric_page.write(fabric, sent, traffic, out)
            print(f"drawn in {out}")
    except (ValueError, OSError, ImportError) as error:
        usage_error(error)


def _degraded(fabric: "Fabric", fail: list[str], degrade: list[str]) -> "Fabric":
    """Return the fabric without failed links and switches, and with slower links."""
    links = [tuple(part.split(":")) for part in fail if ":" in part]
    nodes = [part for part in fail if ":" not in part]
    kept: dict[Any, float] = {}
    for text in degrade:
        cable, _, fraction = text.partition("=")
        try:
            kept[tuple(cable.split(":"))] = float(fraction)
        except ValueError:
            raise ValueError(f"--degrade {text}: give a link and a fraction, a:b=0.5") from None
    for cable in [*links, *kept]:
        if len(cable) != 2:
            raise ValueError(f"link {':'.join(cable)!r}: give two nodes, a:b")
    return fabric.without(links, nodes, kept) if fail or degrade else fabric  # type: ignore[arg-type]


def _matrix(traffic: str, ranks: int) -> Any:
    """Return 1 MB for each pair, 1 MB to the next rank, or the matrix of a file."""
    import numpy as np

    if traffic == "uniform":
        return np.full((ranks, ranks), MEGABYTE)
    if traffic == "neighbour":
        return MEGABYTE * np.roll(np.eye(ranks), 1, axis=1)
    if Path(traffic).suffix != ".npy":
        raise ValueError(f"--traffic {traffic}: give uniform, neighbour or an .npy file")
    return np.load(traffic, allow_pickle=False)


def _print(fabric: "Fabric", sent: Any, traffic: str) -> None:
    from evaluation.analysis.fabric_facts import facts, fullest_links

    print(fabric)
    for name, text in facts(fabric, sent, traffic).items():
        print(f"{name + ':':12} {text}")
    print("fullest links:")
    for source, target, seconds, share in fullest_links(fabric, sent):
        print(f"  {source:>12} -> {target:12} {seconds * 1e6:9.1f} µs busy, {share:.0%}")
