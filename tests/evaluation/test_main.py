"""The console script without the lab extra, and its start."""

import subprocess
import sys


def test_without_the_laboratory_one_line_says_what_to_install():
    """The script needs the extra and names it."""
    code = (
        "import sys, importlib.util as u; real = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == 'typer' else real(name, *a); "
        "from evaluation.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install 'podlab[lab]'" in done.stderr


def test_help_loads_nothing_heavy():
    """`podlab --help` answers without numpy, numba, pyarrow or networkx."""
    code = (
        "import sys; sys.argv = ['podlab', '--help']\n"
        "from evaluation.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([n for n in ('numpy', 'numba', 'pyarrow', 'networkx') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
