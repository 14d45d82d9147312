"""The Python in docs/requests.md runs, and its tables name what there is."""

import re
from pathlib import Path

import pytest

import traces
from traces import arrivals, formats, lengths

PAGE = Path(__file__).parent.parent / "docs" / "requests.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Run all blocks in one namespace, in an empty folder."""
    left = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        for block in re.finditer(r"```python\n(.*?)```", TEXT, re.DOTALL):
            source = "\n" * TEXT[: block.start(1)].count("\n") + block[1]
            exec(compile(source, str(PAGE), "exec"), left)
    return left


def test_the_page_runs(page):
    """Every block, and they leave what they say."""
    assert page["busy"].rate == pytest.approx(2 * page["minute"].rate)
    assert page["whole"].domain_names == ("chat", "late")
    assert page["production"].prompt_tokens.mean() == pytest.approx(13_000, rel=0.05)
    assert page["mixed"].domain_names == ("intent", "summary", "translation")
    assert page["loads"].num_steps == len(page["traffic"])
    assert page["loads"].step_tokens.sum() == page["mixed"].prompt_tokens.sum()


@pytest.mark.parametrize("name", traces.available("request"))
def test_the_table_of_recordings(name):
    """Its figures are those of the recordings."""
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{name}`"))
    trace = traces.load(name)
    gaps = trace.arrival_s[1:] - trace.arrival_s[:-1]
    for figure in (
        f"{trace.num_requests:,}",
        f"{trace.rate:.2f}",
        f"{gaps.std() / gaps.mean():.2f}",
        f"{trace.prompt_tokens.mean():,.0f}; {trace.prompt_tokens.max():,}",
        f"{trace.output_tokens.mean():,.0f}; {trace.output_tokens.max():,}",
    ):
        assert f"| {figure} |" in row


def test_every_format_and_law_is_on_the_page():
    """A new one needs its row, and a format its paragraph."""
    for name in formats.REQUESTS:
        assert f"| `{name}` |" in TEXT
        assert f"**{name}.**" in TEXT
    for module in (arrivals, lengths):
        for name in vars(module):
            if name.endswith(("Arrivals", "Lengths", "_lengths")) and name not in (
                "Arrivals",
                "Lengths",
            ):
                assert f"`{name}(" in TEXT
