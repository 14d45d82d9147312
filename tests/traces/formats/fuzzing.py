"""One trial of a damaged file: what may come of it, and nothing else."""

import shutil

from tests.traces.formats.mutations import damaged
from tests.traces.formats.valid_files import ABOUT
from traces import formats
from traces.exchange import import_trace
from traces.formats.about import About

ABOUTS = (ABOUT, ABOUT, ABOUT, About(top_k=3, experts=4), About(), About(top_k=1, experts=70_000))


def read(name, source, target, about=ABOUT):
    """Read a file to its end, and into the store where it is of routing."""
    if name in formats.REQUESTS:
        formats.named(name).read(source)
        return
    import_trace(source, target, name, about)


def trial(name, maker, folder, rng):
    """Damage one file of a fresh copy and read it; return whether it was refused.

    Raises
    ------
    AssertionError
        If something is left behind where the trace would have been.
    Exception
        Whatever else than ValueError and FileNotFoundError comes out of the reader.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    source = maker(folder / "in")
    files = sorted(path for path in (folder / "in").rglob("*") if path.is_file())
    file = files[rng.integers(len(files))]
    file.write_bytes(damaged(file.read_bytes(), rng))
    for known in formats.ROUTING | formats.REQUESTS:
        assert formats.named(known).recognises(source) in (True, False)
    try:
        read(name, source, folder / "out" / "trace.parquet", ABOUTS[rng.integers(len(ABOUTS))])
    except (ValueError, FileNotFoundError):
        left = list((folder / "out").iterdir())
        assert not left, f"{left} is left of a file that was refused"
        return True
    return False
