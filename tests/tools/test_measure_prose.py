"""The prose script counts sentences as a reader would."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("measure_prose", ROOT / "tools" / "measure_prose.py")
assert spec is not None
assert spec.loader is not None
measure_prose = importlib.util.module_from_spec(spec)
spec.loader.exec_module(measure_prose)


def test_code_tables_and_headings_do_not_count():
    """Two sentences are prose: three words and two words."""
    prose = "One two three. Four five."
    page = f"# A title. Or two.\n\n{prose}\n\n```sh\nrun. it.\n```\n\n| a. b | c. |\n"
    counts = measure_prose.measure(page)
    assert (counts.sentences, counts.words) == (2, 5)


def test_lines_of_a_paragraph_belong_together():
    """A line break ends no sentence; a list item does."""
    page = "One two\nthree.\n\n- four\n- five six\n"
    paragraphs = list(measure_prose.paragraphs(page))
    assert paragraphs == ["One two three.", "four", "five six"]
    assert all(len(measure_prose.sentences(paragraph)) == 1 for paragraph in paragraphs)


@pytest.mark.parametrize(
    "text",
    ["It takes 0.5 s.", "Say e.g. This one.", "See `a. B` here.", "See [a page](docs/a.md. B)."],
)
def test_a_full_stop_within_a_sentence_ends_nothing(text):
    """Decimals, abbreviations, code and addresses hold full stops."""
    assert len(measure_prose.sentences(text)) == 1


def test_long_sentences_have_more_than_thirty_words():
    """Thirty words are not long, thirty-one are."""
    assert measure_prose.measure("word " * 29 + "end.").long == 0
    assert measure_prose.measure("word " * 30 + "end.").long == 1


def test_semicolons_and_commas_are_counted():
    """One semicolon in four words are 25 in 100 words."""
    words, long, semicolons, commas = measure_prose.measure("One, two; three, four.").row()
    assert (words, long, semicolons, commas) == (4, 0, 25, 2)
