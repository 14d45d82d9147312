"""Commands about fabrics: show."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli.usage_error import usage_error

if TYPE_CHECKING:
    from hardware import Fabric

app = typer.Typer(rich_markup_mode="markdown", help="Look at fabrics.", no_args_is_help=True)
MEGABYTE = 1e6


@app.callback()
def _group() -> None:
    """Look at fabrics."""


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A bundled fabric, or a .toml file.")],
    ranks: Annotated[int | None, typer.Option(help="Slice of so many dies. [default: all]")] = None,
    plane: Annotated[str | None, typer.Option(help="Network: ub, rdma, scale-up …")] = None,
    fail: Annotated[
        list[str] | None, typer.Option(help="A link a:b, or a switch, that failed; repeatable.")
    ] = None,
    degrade: Annotated[
        list[str] | None, typer.Option(help="A link and what it keeps, a:b=0.5; repeatable.")
    ] = None,
    traffic: Annotated[
        str, typer.Option(help="uniform, neighbour, or an .npy matrix of bytes [src, dst].")
    ] = "uniform",
    out: Annotated[Path | None, typer.Option(help="Draw into this .svg or .html file.")] = None,
) -> None:
    """Say what a fabric is made of and where traffic meets, and draw it."""
    from evaluation.analysis import fabric_picture
    from hardware import Fabric

    try:
        if out is not None and out.suffix not in (".svg", ".html"):
            raise ValueError(f"--out {out}: give a name that ends in .svg or .html")
        fabric = _broken(Fabric.preset(name, ranks, plane), fail or [], degrade or [])
        sent = _matrix(traffic, fabric.num_ranks)
        _print(fabric, sent, traffic)
        if out is not None:
            fabric_picture.write(fabric_picture.svg(fabric, fabric.utilisation(sent)), out)
            print(f"drawn in {out}")
    except (ValueError, OSError) as error:
        usage_error(error)


def _broken(fabric: "Fabric", fail: list[str], degrade: list[str]) -> "Fabric":
    links = [tuple(one.split(":")) for one in fail if ":" in one]
    nodes = [one for one in fail if ":" not in one]
    kept: dict[Any, float] = {}
    for one in degrade:
        cable, _, fraction = one.partition("=")
        try:
            kept[tuple(cable.split(":"))] = float(fraction)
        except ValueError:
            raise ValueError(f"--degrade {one}: give a link and a fraction, a:b=0.5") from None
    for cable in [*links, *kept]:
        if len(cable) != 2:
            raise ValueError(f"link {':'.join(cable)!r}: give two nodes, a:b")
    return fabric.without(links, nodes, kept) if fail or degrade else fabric  # type: ignore[arg-type]


def _matrix(traffic: str, ranks: int) -> Any:
    """1 MB for each pair, 1 MB to the next rank, or what a file says."""
    import numpy as np

    if traffic == "uniform":
        return np.full((ranks, ranks), MEGABYTE)
    if traffic == "neighbour":
        return MEGABYTE * np.roll(np.eye(ranks), 1, axis=1)
    if Path(traffic).suffix != ".npy":
        raise ValueError(f"--traffic {traffic}: give uniform, neighbour or an .npy file")
    return np.load(traffic, allow_pickle=False)


def _print(fabric: "Fabric", sent: Any, traffic: str) -> None:
    from collections import Counter

    kinds = Counter(data.get("kind", "node") for _, data in fabric.graph.nodes(data=True))
    latency = fabric.latency[fabric.latency > 0]
    print(fabric)
    print("nodes:       " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()))
    print(f"a rank:      {fabric.port_bytes_per_s / 1e9:.1f} GB/s one way into its switches")
    if latency.size:
        low, high = latency.min() * 1e6, latency.max() * 1e6
        print(f"latency:     {low:.2f} to {high:.2f} µs between ranks")
    print(f"all-to-all:  {fabric.all_to_all(sent) * 1e6:.1f} µs for {traffic} traffic")
    print("fullest links:")
    for (source, target), seconds, share in fabric.bottlenecks(sent):
        print(f"  {source!s:>12} -> {target!s:12} {seconds * 1e6:9.1f} µs busy, {share:.0%}")
