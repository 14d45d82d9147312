"""`podlab leaderboard`: its commands, one file each."""

import typer

from evaluation.cli.leaderboard import show, verify

app = typer.Typer(help="Show records, and check what others submitted.", no_args_is_help=True)
app.command()(show.show)
app.command()(verify.verify)
