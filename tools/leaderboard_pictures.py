"""Draw the leaderboard of the README, for readers in light and in dark mode.

podlab bench --suite shift --out RECORDS && python tools/leaderboard_pictures.py RECORDS docs
"""

import argparse
import json
from pathlib import Path

from evaluation.kinds import name_of, named
from evaluation.report import image
from evaluation.report.leaderboard_picture import plot, score_intervals, score_name

FILES = {"light": "leaderboard.svg", "dark": "leaderboard-dark.svg"}


def main() -> None:
    """Read the arguments and draw a picture for each scheme of colours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path, help="folder of records of one suite")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    arguments = parser.parse_args()
    files = sorted(arguments.records.glob("*/*.json"))
    records = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    ranking = named(name_of(records[0])).ranking(records)
    plots = [plot(score_intervals(ranking), score_name(ranking))]
    for scheme, name in FILES.items():
        picture = arguments.out / name
        picture.write_bytes(image.draw(f"podlab · {ranking.suite}", plots, "svg", scheme))
        print(f"{picture}: {picture.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
