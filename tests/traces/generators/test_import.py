"""What importing loads."""

import subprocess
import sys


def test_importing_generators_loads_numpy_alone():
    """Neither numba nor pyarrow, until something is made."""
    code = (
        "import sys, traces, traces.generators, traces.workload; traces.available(); "
        "print([name for name in ('numba', 'pyarrow', 'scipy', 'sklearn') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
