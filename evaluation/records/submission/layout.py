"""How a submission's file is laid out, and what no honest one exceeds."""

import re

#: Rises when what an older podlab reads would be misread.
FORMAT = 1

#: The table of contents: format, environment, and the SHA-256 of every other file.
CONTENTS = "submission.json"

#: Records below their suite, and solvers' files under the first digits of their hashes.
RECORD = re.compile(r"records/(?:[\w+-][\w.+-]*/)*[\w+-][\w.+-]*\.json")
SOLVER = re.compile(r"solvers/[0-9a-f]{12}/[\w+-][\w.+-]*\.py")

#: Bounds of ours: files, bytes of one, bytes of all, each unpacked.
MOST_FILES = 20_000
MOST_FILE_BYTES = 16 * 2**20
MOST_BYTES = 512 * 2**20

#: Distributions whose versions can change a score or the time it takes.
PACKAGES = (
    "networkx",
    "numba",
    "numpy",
    "ortools",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "simpy",
    "skops",
    "torch",
)


def is_known(name: str) -> bool:
    """Say whether a submission may hold a file of that name."""
    return name == CONTENTS or bool(RECORD.fullmatch(name) or SOLVER.fullmatch(name))
