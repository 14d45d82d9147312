"""`podlab trace`: the commands about traces, one file a command."""

import typer

from evaluation.cli.trace import cat, cut, export, fit, formats, generate, import_, info

app = typer.Typer(
    rich_markup_mode="markdown",
    help="Measure, import, export, cut, join and generate traces.",
    no_args_is_help=True,
)
app.command()(info.info)
app.command()(generate.generate)
app.command()(fit.fit)
app.command("import")(import_.import_)
app.command()(export.export)
app.command()(cut.cut)
app.command()(cat.cat)
app.command()(formats.formats)


@app.callback()
def _group() -> None:
    """Measure, import, export, cut, join and generate traces."""
