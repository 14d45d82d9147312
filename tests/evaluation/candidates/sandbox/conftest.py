"""Programs of strangers, and a small problem to ask them."""

import numpy as np
import pytest

import lb
from evaluation.candidates.sandbox import Limits, Sandboxed

FAST = Limits(call_s=30.0, total_s=60.0, start_s=60.0, memory_bytes=512 * 2**20, processes=8)


@pytest.fixture
def problem():
    """Two layers of eight experts on four ranks of three slots, contiguous now."""
    load = np.random.default_rng(0).integers(1, 1000, (2, 2, 8))
    asked = lb.Problem(load, num_ranks=4, slots_per_rank=3)
    return asked.replace(current=lb.solve(asked, "contiguous"))


@pytest.fixture
def program(tmp_path):
    """Return a function that makes a sandboxed solver out of source text."""
    made = []

    def make(source, name="", limits=FAST, **options):
        file = tmp_path / f"stranger{len(made)}.py"
        file.write_text(source)
        made.append(Sandboxed(file, name, limits=limits, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
