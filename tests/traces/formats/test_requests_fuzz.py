"""No mutated file of requests gets out of a reader with another error than ValueError."""

import contextlib

import numpy as np
import pytest

from tests.traces.formats import test_azure, test_burstgpt, test_mooncake, test_requests_csv
from traces import formats

SEEDS = {
    "azure": test_azure.YEAR_2023 + "\n" + "2023-11-16 18:15:52,1,2\n",
    "burstgpt": test_burstgpt.EIGHT + "1.0,abc,2,GPT-4,906,446,1352,Conversation log\n" * 2,
    "mooncake": test_mooncake.FIRST + test_mooncake.SECOND,
    "requests-csv": test_requests_csv.ALL + "0,1,1,1,law\n0.5,3,4,,code\n",
}
PIECES = (
    *(b"\0", b"\n", b'"', b",", b"{", b"[", b"]", b"-", b"nan", b"1e400", b"\xff", b"\x1f\x8b"),
    *(b"99999999999999999999999", b"\r", b"\xe2\x80\xa8", b"null", b"0.5", b"\xd9\xa3"),
)


def mutated(content, random):
    """Change, cut, repeat or insert something, one to four times."""
    for _ in range(random.integers(1, 5)):
        start, end = sorted(random.integers(0, len(content) + 1, 2))
        way = random.integers(4)
        if way == 0:
            content = content[:start] + content[end:]
        elif way == 1:
            content = content[:end] + content[start:]
        elif way == 2:
            content = content[:start] + PIECES[random.integers(len(PIECES))] + content[start:]
        elif start < len(content):
            content = content[:start] + bytes([random.integers(256)]) + content[start + 1 :]
    return content


@pytest.mark.parametrize("name", formats.REQUESTS)
def test_mutated_files(tmp_path, name):
    """Read or refused; recognising never raises."""
    random = np.random.default_rng(0)
    path = tmp_path / "x.csv"
    read = 0
    for _ in range(600):
        path.write_bytes(mutated(SEEDS[name].encode(), random))
        for form in formats.REQUESTS:
            formats.named(form).recognises(path)
        with contextlib.suppress(ValueError):
            formats.named(name).read(path)
            read += 1
    assert 0 < read < 600
