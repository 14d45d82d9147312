"""The command line: every command and its group. Commands import what is heavy when they run."""

from typing import Any

import typer
from typer.core import TyperGroup

from evaluation.cli import (
    bench,
    calibrate,
    check,
    compete,
    explain,
    fabric,
    leaderboard,
    list_registered,
    plan,
    report,
    simulate,
    solve,
    submit,
    timeline,
    trace,
    validate,
    when,
)
from evaluation.cli.optional_value import OptionalValueCommand

COMPARE, SERVE, TRACES, MACHINE, SHARE = "Compare", "Serve", "Traces", "Machine", "Share"
PANELS = (COMPARE, SERVE, TRACES, MACHINE, SHARE)


class PanelGroup(TyperGroup):
    """A group whose help lists its panels in our order; Typer's lists groups of commands last."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands, panel by panel."""
        return sorted(
            super().list_commands(ctx),
            key=lambda name: PANELS.index(getattr(self.commands[name], "rich_help_panel", COMPARE)),
        )


app = typer.Typer(
    cls=PanelGroup,
    rich_markup_mode="markdown",
    help="Compare load balancers and schedulers for MoE serving on recorded traffic.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command(rich_help_panel=COMPARE, cls=OptionalValueCommand)(bench.bench)
app.command(rich_help_panel=COMPARE)(explain.explain)
app.command(rich_help_panel=COMPARE)(when.when)
app.command(rich_help_panel=COMPARE)(compete.compete)
app.command(rich_help_panel=COMPARE)(solve.solve)
app.command(rich_help_panel=COMPARE)(check.check)
app.command("list", rich_help_panel=COMPARE)(list_registered.list_registered)
app.command(rich_help_panel=SERVE)(simulate.simulate)
app.command(rich_help_panel=SERVE)(plan.plan)
app.add_typer(trace.app, name="trace", rich_help_panel=TRACES)
app.command(rich_help_panel=MACHINE)(validate.validate)
app.command(rich_help_panel=MACHINE)(calibrate.calibrate)
app.command(rich_help_panel=MACHINE)(timeline.timeline)
app.add_typer(fabric.app, name="fabric", rich_help_panel=MACHINE)
app.command(rich_help_panel=SHARE)(report.report)
app.command(rich_help_panel=SHARE)(submit.submit)
app.add_typer(leaderboard.app, name="leaderboard", rich_help_panel=SHARE)
