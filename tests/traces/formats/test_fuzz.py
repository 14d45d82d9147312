"""Every registered format: a valid file is found and read, a damaged one read or refused."""

import numpy as np
import pytest

from tests.traces.formats.fuzzing import read, trial
from tests.traces.formats.valid_files import MAKERS, lacking
from traces import formats

#: An ``.npy`` of three axes does not say what they are, nor do JSON lists of three levels. Usual
#: are the competition's counts, and counts.
TAKEN_FOR = {("vllm-routed", 1): "competition", ("selection-json", 1): "counts-json"}
TRIALS = 25  # of each kind of file; tools/fuzz_formats.py goes on from there

KINDS = [
    pytest.param(
        name,
        index,
        id=f"{name}-{index}",
        marks=[pytest.mark.skip(reason=lacking(name))] if lacking(name) else [],
    )
    for name in sorted(formats.ROUTING | formats.REQUESTS)
    for index in range(len(MAKERS.get(name, [None])))
]


@pytest.mark.parametrize(("name", "index"), KINDS)
def test_valid_file_is_read(tmp_path, name, index):
    """The file that is to be damaged is whole, and no other format takes it for its own."""
    source = MAKERS[name][index](tmp_path)
    known = formats.ROUTING | formats.REQUESTS
    found = [other for other in known if formats.named(other).recognises(source)]
    assert found in ([TAKEN_FOR.get((name, index), name)], [])
    read(name, source, tmp_path / "trace.parquet")


@pytest.mark.parametrize(("name", "index"), KINDS)
def test_damage_is_read_or_refused(tmp_path, name, index):
    """Only ValueError and FileNotFoundError come out, recognising never raises, nothing is left."""
    rng = np.random.default_rng([TRIALS, *name.encode(), index])
    refused = [trial(name, MAKERS[name][index], tmp_path / "x", rng) for _ in range(TRIALS)]
    assert sum(refused) > TRIALS // 4
