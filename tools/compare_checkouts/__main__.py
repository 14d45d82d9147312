"""Write down what a checkout prints as data, and compare two such folders.

    python tools/compare_checkouts write OUT [--checkout DIR] [--only 'suite-*'] [--jobs 2]
    python tools/compare_checkouts compare BEFORE AFTER

``write`` runs every command of podlab that prints data, in the checkout DIR and with its own
interpreter. ``compare`` prints a line for each field that differs and leaves with 0 if none does,
with 1 if some do, and with 2 if it cannot compare. ``reading.py`` lists what it ignores.
"""

import argparse
import sys
from pathlib import Path

from comparing import compare
from writing import write


def main() -> int:
    """Run one of the two commands and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    writer = commands.add_parser("write", help="Run the cases and keep what they print.")
    writer.add_argument("out", type=Path, help="Folder to write.")
    writer.add_argument("--checkout", type=Path, default=Path(__file__).parents[2])
    writer.add_argument("--python", help="Interpreter. [default: DIR/.venv/bin/python, or this]")
    writer.add_argument("--only", nargs="+", default=[], help="Names or patterns of cases.")
    writer.add_argument("--jobs", type=int, default=2, help="Cases that run at once. [default: 2]")
    comparer = commands.add_parser("compare", help="Compare two folders field by field.")
    comparer.add_argument("before", type=Path)
    comparer.add_argument("after", type=Path)
    comparer.add_argument("--limit", type=int, default=3, help="Lines for like fields of a case.")
    comparer.add_argument("--only", nargs="+", default=[], help="Names or patterns of cases.")
    given = parser.parse_args()
    try:
        if given.command == "write":
            write(given.out, given.checkout, given.python, given.only, given.jobs)
            return 0
        return compare(given.before, given.after, given.only, given.limit)
    except (ValueError, OSError) as error:
        print(f"compare_checkouts: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
