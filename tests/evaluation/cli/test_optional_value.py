"""The address of --ray may be left out."""

import pytest
import typer
from typer.testing import CliRunner

from evaluation.cli.optional_value import OptionalValueCommand


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "None 1"),
        (["--ray"], "local 1"),
        (["--ray", "--jobs", "2"], "local 2"),
        (["--jobs", "2", "--ray"], "local 2"),
        (["--ray", "auto", "--jobs", "2"], "auto 2"),
        (["--ray=10.0.0.1:6379"], "10.0.0.1:6379 1"),
    ],
)
def test_ray_with_and_without_an_address(arguments, said):
    """Alone it means a cluster of this machine; what follows is still read."""
    app = typer.Typer()

    @app.command(cls=OptionalValueCommand)
    def run(ray: str | None = None, jobs: int = 1) -> None:
        print(ray, jobs)

    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == said
