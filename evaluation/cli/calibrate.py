"""`podlab calibrate`: fit the kernel constants of a device to timings."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli.usage_error import usage_errors
from evaluation.files.output_path import check_output

if TYPE_CHECKING:
    from hardware import Device, Kernels

Rows = list[dict[str, Any]]


def calibrate(
    tables: Annotated[
        list[str] | None, typer.Argument(help="Bundled tables, or .csv files of kernel timings.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Device preset that gives the peaks. [default: measured peaks]"),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the preset.")] = "own",
    keep: Annotated[
        list[str] | None, typer.Option(help="Constant to leave as the device has it; repeatable.")
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Time the kernels here, with torch.")
    ] = False,
    on: Annotated[str, typer.Option(help="Torch device to measure on.")] = "auto",
    full: Annotated[bool, typer.Option(help="Measure the full sweep, not the quick one.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the preset to this .toml file. [default: print it]")
    ] = None,
) -> None:
    """Fit a device's kernel constants to timings, yours or published, and write a preset."""
    from hardware import calibrate as fitting

    with usage_errors():
        if bool(tables) == measure:
            raise ValueError("give tables to fit, or --measure to time kernels here")
        check_output(out, (".toml",))
        rows, figures = _measure(on, full, out) if measure else (_read(tables or []), {})
        base = _base(device, name, figures, rows, measure)
        source = ", ".join(tables or ["measured here"])
        kernels = fitting.fit(base, rows, name, source, keep or [])
        _write(_preset(base, name, kernels, out) if measure else fitting.to_toml(kernels), out)
    for operator, errors in kernels.residuals.items():
        residuals = f"median {errors['median']:.1%}, worst {errors['worst']:.1%}"
        print(f"{operator:20}{errors['rows']:5} rows, {residuals}", file=sys.stderr)


def _read(tables: list[str]) -> Rows:
    from hardware import table

    return [row for name in tables for row in table.read_rows(table.find(name))]


def _measure(on: str, full: bool, out: Path | None) -> tuple[Rows, dict[str, Any]]:
    """Time kernels, write the rows next to the preset, and return them with the device's peaks."""
    from hardware import measure, table

    sweep = measure.Sweep.full() if full else measure.Sweep.quick()
    done = 0

    def on_row(row: dict[str, Any]) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            print(f"\r{done} timings, last {row['operator']:20}", end="", file=sys.stderr)

    timings = measure.measure(on, sweep, on_row)
    print(f"\r{len(timings.rows)} timings, {len(timings.skipped)} skipped", file=sys.stderr)
    if out is not None:
        table.write_rows(timings.rows, out.with_suffix(".csv"))
    return timings.rows, measure.device_figures(on)


def _base(
    device: str | None, name: str, figures: dict[str, Any], rows: Rows, measured: bool
) -> "Device":
    """Return the device to which the timings refer: a preset, or the one that was measured."""
    from dataclasses import replace

    from hardware import Device, Kernels
    from hardware import calibrate as fitting

    if device:
        return Device.preset(device)
    if not measured:
        raise ValueError("--device is missing: published tables need the peaks they refer to")
    # torch launches each kernel by itself, so a graph saves nothing
    start = replace(Kernels.preset("hopper"), graph_saving_s=0.0, attention_graph_saving_s=0.0)
    return fitting.own_device(name, figures, rows, start)


def _preset(base: "Device", name: str, kernels: "Kernels", out: Path | None) -> str:
    """Return the preset of a measured device, which names the file of its timings."""
    from dataclasses import replace

    from hardware import calibrate as fitting

    timings = str(out.with_suffix(".csv").resolve()) if out else ""
    return fitting.device_toml(replace(base, name=name, kernels=kernels, measured=timings))


def _write(text: str, out: Path | None) -> None:
    from traces.atomic_file import atomic_write

    if out is None:
        print(text, end="")
        return
    with atomic_write(out, "w") as file:
        file.write(text)
