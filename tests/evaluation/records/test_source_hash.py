"""The source hash changes with code that scores depend on, and with nothing else."""

import ast
import shutil

import pytest

from evaluation.records import source_hash


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A copy of four files of podlab, which is hashed instead of the checkout."""
    for name in (
        "lb/solvers/greedy.py",
        "hardware/presets/devices/h800.toml",
        "evaluation/report/theme.py",
        "evaluation/serving/results/view.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(source_hash.ROOT / name, tmp_path / name)
    monkeypatch.setattr(source_hash, "ROOT", tmp_path)
    return tmp_path


def _score_hash():
    return source_hash.score_hash.__wrapped__()


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("lb/solvers/greedy.py", True),
        ("hardware/presets/devices/h800.toml", True),
        ("evaluation/report/theme.py", False),
        ("evaluation/serving/results/view.py", False),
    ],
)
def test_an_edit_counts_if_scores_depend_on_it(checkout, name, counts):
    """A new statement always changes the code hash, and in scored files the score hash."""
    scores, code = _score_hash(), source_hash.code_hash.__wrapped__()
    with (checkout / name).open("a") as file:
        file.write("\nadded = 1\n")
    assert (_score_hash() != scores) is counts
    assert source_hash.code_hash.__wrapped__() != code


@pytest.mark.parametrize("name", ["lb/solvers/greedy.py", "hardware/presets/devices/h800.toml"])
def test_a_comment_does_not_count(checkout, name):
    """A comment and an empty line do not change the score hash."""
    before = _score_hash()
    with (checkout / name).open("a") as file:
        file.write("\n# a comment with 'one quote\n")
    assert _score_hash() == before


def test_a_moved_file_counts(checkout):
    """The hash covers the names of files."""
    before = _score_hash()
    (checkout / "lb/solvers/greedy.py").rename(checkout / "lb/solvers/eager.py")
    assert _score_hash() != before


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ('"""Module."""\n\nx = 1  # why\n', '""\nx = 1'),
        ('def f():\n    r"""Say \\d."""\n    return "#"\n', 'def f():\n    ""\n    return "#"'),
        ('class A:  # a\n\n    """A."""\n', 'class A:\n    ""'),
        ('text = """\n# no comment\n"""\n', 'text = """\n# no comment\n"""'),
        ("call(\n    '''one''',\n)\n", "call(\n    '''one''',\n)"),
        ("a = '\\'#'  # '\n", "a = '\\'#'"),
        ("", ""),
    ],
)
def test_code_without_comments_and_docstrings(text, bare):
    """Comments and docstrings are removed; other strings stay, even if they look like them."""
    assert source_hash.bare_code(text) == bare


def test_the_code_that_is_hashed_is_podlabs_code():
    """Every hashed file parses to the same program, except for the text of docstrings."""
    for path in source_hash._scored_files():
        if path.suffix == ".py":
            text = path.read_text()
            program = ast.dump(_without_docstrings(ast.parse(text)))
            assert ast.dump(ast.parse(source_hash.bare_code(text))) == program, path


def _without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if ast.get_docstring(node, clean=False) is not None:
                first.value.value = ""
    return tree


def test_every_listed_part_exists():
    """A folder or file that is moved must not silently leave the hash."""
    for name in (*source_hash.SCORED, *source_hash.UNSCORED):
        assert (source_hash.ROOT / name).exists(), name
