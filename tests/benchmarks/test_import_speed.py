"""Speed of importing foreign files into the store, beside a yardstick.

The yardstick is ``numpy.sum`` over as many bytes as the store's columns have in memory; what a
format costs is its ratio to that. ``tools/measure_import.py`` prints rows a second and memory.
"""

import numpy as np
import pytest

import traces
from tools.measure_import import CASES, EXPERTS, TOP_K
from traces.exchange import import_trace
from traces.formats.about import About
from traces.generated import ar1_counts
from traces.store import StoredTrace

MIB = 8
ABOUT = About(top_k=TOP_K, experts=EXPERTS)


@pytest.fixture(params=CASES)
def foreign(request, tmp_path):
    """Return a format, its file of about 8 MiB and the bytes of its columns once imported."""
    form, write = CASES[request.param]
    folder = tmp_path / "in"
    folder.mkdir()
    source = write(folder, MIB * 2**20)
    stored = import_trace(source, tmp_path / "a.parquet", form, ABOUT)
    per_row = 4 * stored.num_experts if stored.kind == "routing" else stored.top_k
    size = stored.num_rows * stored.num_layers * per_row
    return form, source, tmp_path / "a.parquet", size


@pytest.mark.benchmark(group="import")
def test_yardstick_sum(benchmark, foreign):
    """The yardstick itself."""
    benchmark(np.sum, np.ones(foreign[3], dtype=np.uint8))


@pytest.mark.benchmark(group="import")
def test_import(benchmark, foreign):
    """Reading, checking, hashing and writing."""
    form, source, target, _ = foreign
    benchmark(import_trace, source, target, form, ABOUT)


@pytest.mark.benchmark(group="store of 100 x 58 x 256")
def test_yardstick_sum_of_counts(benchmark):
    """The yardstick for the store."""
    benchmark(np.sum, np.ones((100, 58, 256), dtype=np.int32))


@pytest.mark.benchmark(group="store of 100 x 58 x 256")
def test_store_read(benchmark, tmp_path):
    """Reading counts in DeepSeek-V3's shape block by block, checks and hash included."""
    traces.save(ar1_counts(100, 58, 256, 0.95, 1.0, 4096, 0, top_k=8), tmp_path / "a.parquet")

    def read():
        return sum(block.num_steps for block in StoredTrace(tmp_path / "a.parquet").blocks())

    assert benchmark(read) == 100
