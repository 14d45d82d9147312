"""The console script: says what to install where the laboratory is missing."""

import importlib.util
import sys


def main() -> None:
    """Run the command line, or name the extra that it needs."""
    needed = ("typer", "rich", "pyarrow", "networkx", "scipy", "simpy", "plotly", "jinja2")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        print(
            f"podlab's command line needs {', '.join(missing)}: pip install 'podlab[lab]' "
            "(`import lb` works without)",
            file=sys.stderr,
        )
        raise SystemExit(1)
    from evaluation.cli.app import app

    app(prog_name="podlab")


if __name__ == "__main__":
    main()
