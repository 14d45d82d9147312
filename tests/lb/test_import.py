"""Importing the balancing core is light."""

import os
import subprocess
import sys

HEAVY = (
    "pandas",
    "networkx",
    "ortools",
    "sklearn",
    "scipy",
    "torch",
    "pyarrow",
    "typer",
    "rich",
    "numba",
)


def test_import_pulls_in_nothing_heavy():
    """After `import lb` no laboratory package is loaded; numba waits for the first kernel."""
    code = (
        "import sys, lb; lb.Problem([[1, 2, 3]], 2, 2); "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_place_without_a_cache_still_compiles(monkeypatch):
    """Where numba can write nowhere, the kernel is compiled in memory."""
    import numba
    import numba.typed.typeddict  # it uses njit when it is first imported, which is not meant here

    import lb.kernel

    plain = numba.njit

    def refusing(**options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return plain(**options)

    monkeypatch.setattr(numba, "njit", refusing)
    assert lb.kernel.kernel(lambda value: value + 1)(1) == 2


def test_kernels_call_kernels():
    """A kernel may call another one of its module before that was ever called itself."""
    code = (
        "import lb, numpy as np; from lb.packing import replicate; "
        "lb.solve(lb.Problem([[1, 2, 9]], 2, 2)); "
        "ids, load = np.array([1, 0]), np.array([1.0, 9.0]); "
        "count, weight, ranking = ids.copy(), load.copy(), ids.copy(); "
        "replicate(load, ids, 4, 3, np.empty((0, 2)), count, weight, ranking); "
        "print(count.tolist(), weight.tolist(), ranking.tolist())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[1, 3] [1.0, 3.0] [1, 0]"


def test_a_changed_file_of_a_called_kernel_is_compiled_anew(tmp_path):
    """The cache of a kernel knows the files of the kernels that it calls."""
    (tmp_path / "inner.py").write_text(
        "from lb.kernel import kernel\n@kernel\ndef inner(x):\n    return x + 1\n"
    )
    (tmp_path / "outer.py").write_text(
        "from lb.kernel import kernel\nfrom inner import inner\n"
        "@kernel\ndef outer(x):\n    return inner(x)\n"
    )
    command = [sys.executable, "-c", "from outer import outer; print(outer(1))"]
    folders = os.pathsep.join([str(tmp_path), os.getcwd()])

    def answer():
        environment = {**os.environ, "PYTHONPATH": folders, "PYTHONDONTWRITEBYTECODE": "1"}
        found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return found.stdout.strip()

    assert answer() == "2"
    inner = tmp_path / "inner.py"
    inner.write_text(inner.read_text().replace("x + 1", "x + 10"))
    assert answer() == "11"


def test_the_folder_of_compiled_kernels_is_known(monkeypatch):
    """It is a folder that numba writes to, or None where it can write nowhere."""
    import numba

    import lb.kernel

    folder = lb.kernel.cache_folder()
    assert folder is None or os.path.isabs(folder)

    def refusing(**options):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(numba, "njit", refusing)
    assert lb.kernel.cache_folder() is None
