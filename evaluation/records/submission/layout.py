"""Layout and size limits of a submission file."""

import re

#: Number of the format. It increases when older versions of podlab would misread a file.
FORMAT = 1

#: The table of contents: format, environment, and the SHA-256 of every other file.
CONTENTS = "submission.json"

#: Records in folders of their suites, and solver files in folders named by their hashes.
RECORD = re.compile(r"records/(?:[\w+-][\w.+-]*/)*[\w+-][\w.+-]*\.json")
SOLVER = re.compile(r"solvers/[0-9a-f]{12}/[\w+-][\w.+-]*\.py")

#: Limits of an unpacked submission: number of files, bytes of one, bytes of all. Our choice.
MOST_FILES = 20_000
MOST_FILE_BYTES = 16 * 2**20
MOST_BYTES = 512 * 2**20

#: Distributions whose versions can change a score or a solve time.
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
    """Return whether a submission may hold a file of this name."""
    return name == CONTENTS or bool(RECORD.fullmatch(name) or SOLVER.fullmatch(name))
