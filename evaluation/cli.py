"""The command line. Everything heavy is imported by the command that needs it."""

import sys
from typing import Annotated

import typer

from evaluation import (
    cli_bench,
    cli_compete,
    cli_explain,
    cli_fabric,
    cli_leaderboard,
    cli_machine,
    cli_plan,
    cli_report,
    cli_simulate,
    cli_solve,
    cli_trace,
    cli_when,
)
from evaluation.alone import MayStandAlone
from evaluation.refuse import refuse

app = typer.Typer(
    rich_markup_mode="markdown",
    help="Compare MoE expert load balancers on recorded routing, by what happens next.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command("list")
def list_registered() -> None:
    """Show the names that there are: solvers, dispatchers, schedulers, suites, traces, …."""
    import hardware
    import lb
    import schedulers
    import traces
    from evaluation import suite as suites
    from evaluation.serving import scenario

    kinds = {
        "solvers": lb.available(),
        "dispatchers": lb.available_dispatchers(),
        "forecasters": lb.available_forecasters(),
        "job routers": schedulers.JOB.available(),
        "prefill routers": schedulers.PREFILL.available(),
        "decode routers": schedulers.DECODE.available(),
        "batch policies": schedulers.BATCH.available(),
        "rebalance policies": schedulers.REBALANCE.available(),
        "scenarios": scenario.available(),
        "suites": suites.available(),
        "traces": traces.available("routing"),
        "requests": traces.available("request"),
        **{kind: hardware.available(kind) for kind in hardware.KINDS},
    }
    for kind, names in kinds.items():
        print(f"{kind + ':':20}{', '.join(names)}")


@app.command()
def check(
    solver: Annotated[str, typer.Argument(help="A registered name, or path/to/file.py:name.")],
) -> None:
    """Run the conformance checks on a solver."""
    import lb.testing
    from evaluation.candidates import Candidate

    try:
        candidate = Candidate(solver).make()
    except (ValueError, OSError) as error:
        refuse(error)
    try:
        outcome = lb.testing.check_solver(candidate)
    except AssertionError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    for name, text in outcome.items():
        print(f"{name:32}{text}")


app.command(cls=MayStandAlone)(cli_bench.bench)
app.command()(cli_compete.compete)
app.command()(cli_explain.explain)
app.command()(cli_when.when)
app.command()(cli_machine.validate)
app.command()(cli_machine.calibrate)
app.command()(cli_machine.timeline)
app.command()(cli_plan.plan)
app.command()(cli_report.report)
app.command()(cli_simulate.simulate)
app.command()(cli_solve.solve)
app.command()(cli_leaderboard.submit)
app.add_typer(cli_fabric.app, name="fabric")
app.add_typer(cli_leaderboard.app, name="leaderboard")
app.add_typer(cli_trace.app, name="trace")
