"""Importing the package stays light."""

import subprocess
import sys


def test_import_loads_no_graph_or_science_library() -> None:
    """networkx, scipy and pandas are loaded where they are used."""
    code = (
        "import sys, hardware; "
        "print([name for name in ('networkx', 'scipy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
