"""Damage files of every format for a while: ``python tools/fuzz_formats.py --minutes 5``.

Each trial makes a small valid file, changes some of its bytes and reads it. What comes out other
than ValueError and FileNotFoundError is printed with the seed that makes it again, and the exit
code is 1. A reader that takes the whole process down is found because the trials run in a child.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.traces.formats.fuzzing import trial
from tests.traces.formats.valid_files import MAKERS, lacking
from traces import formats

BATCH = 200  # trials of one kind of file in one child
HEAP_BYTES = 4 * 2**30  # what a small damaged file may at most allocate


def batch(name: str, index: int, seed: int) -> list[str]:
    """Run trials of one kind of file; return what was wrong."""
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (HEAP_BYTES, HEAP_BYTES))
    warnings.simplefilter("error")
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(BATCH):
            rng = np.random.default_rng([seed, number])
            started = time.perf_counter()
            try:
                trial(name, MAKERS[name][index], Path(folder) / "x", rng)
            except BaseException:
                wrong.append(f"{name} {index}, seed {seed} {number}:\n{traceback.format_exc()}")
            if number and time.perf_counter() - started > 5:  # the first one imports libraries
                wrong.append(f"{name} {index}, seed {seed} {number}: took over 5 s")
    return wrong


def _child(name: str, index: int, seed: int, pipe: object) -> None:
    pipe.send(batch(name, index, seed))  # type: ignore[attr-defined]


def main() -> int:
    """Go round the formats until the time is over."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=5)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--format", help="this one alone")
    chosen = options.parse_args()
    known = sorted(formats.ROUTING | formats.REQUESTS)
    kinds = [
        (name, index)
        for name in known
        if not lacking(name) and chosen.format in (None, name)
        for index in range(len(MAKERS[name]))
    ]
    print("left out:", {name: lacking(name) for name in known if lacking(name)} or "none")
    end = time.monotonic() + 60 * chosen.minutes
    trials: Counter[str] = Counter()
    seen: set[str] = set()
    seed = chosen.seed
    context = multiprocessing.get_context("fork")
    while time.monotonic() < end:
        for name, index in kinds:
            seed += 1
            ours, theirs = context.Pipe()
            child = context.Process(target=_child, args=(name, index, seed, theirs))
            child.start()
            theirs.close()
            try:
                wrong = ours.recv()
            except EOFError:
                child.join()
                wrong = [f"{name} {index}, seed {seed}: the child ended with {child.exitcode}"]
            child.join()
            trials[name] += BATCH
            for text in wrong:
                place = text.splitlines()[-1] + "".join(text.splitlines()[-4:-2])
                if place not in seen:
                    seen.add(place)
                    print(text)
            if time.monotonic() > end:
                break
    print(f"{sum(trials.values())} trials: {dict(trials)}; {len(seen)} kinds of failure")
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
