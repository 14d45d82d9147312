"""The split of measurements into fitted and checked is complete, and wrong ones are refused."""

import pytest

from evaluation.validation import anchors, split
from hardware import table


def test_every_table_and_file_of_anchors_has_its_part():
    """Each bundled table and each file of anchors is in the split, and nothing else is."""
    names = {part.name for part in split.load().files}
    tables = {path.stem for path in table.FOLDER.glob("*.csv")}
    files = {path.stem for path in anchors.FOLDER.glob("*.toml")}
    assert names == tables | files


def test_every_figure_of_the_split_is_an_anchor():
    """No use is said of a figure that is not there."""
    ids = {anchor.id for anchor in anchors.load()}
    assert set(split.load().figures) <= ids


def test_a_row_belongs_to_the_part_of_its_file():
    """DeepEP's normal kernels were fitted on in one version and checked in another."""
    parts = split.load()
    assert parts.of_row("h100-deepep-normal", {"format": "0.5.6.post2"}).use == "fit"
    assert parts.of_row("h100-deepep-normal", {"format": "0.5.12"}).use == "check"
    assert parts.of_figure("cloudmatrix", "cm-layer") == "fit"
    assert parts.of_figure("cloudmatrix", "cm-layer-mtp") == "check"
    with pytest.raises(ValueError, match=r"split.toml has no \[\[file\]\] for 'h100-modules'"):
        parts.of_row("h100-modules", {"operator": "sort"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[file]]\nname = "a"\ndevice = "b"\nuse = "fit"\n', "lacks 'why'; add it"),
        ('[[figures]]\nids = ["a"]\nuse = "sure"\nwhy = "b"\n', "use = 'sure' is not one of fit"),
        ('[[figures]]\nids = ["a", "a"]\nuse = "fit"\nwhy = "b"\n', "'a' is named twice"),
    ],
)
def test_bad_splits_are_refused(tmp_path, text, message):
    """The error names the file, the entry and the fix."""
    path = tmp_path / "split.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        split.load(path)


def test_a_bundled_anchor_cannot_say_its_own_use(tmp_path, monkeypatch):
    """The use of bundled figures stands in one place."""
    (tmp_path / "cloudmatrix.toml").write_text('[[anchor]]\nid = "cm-layer"\nuse = "check"\n')
    monkeypatch.setattr(anchors, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"use = 'check'; say it in split.toml alone"):
        anchors.load()


def test_a_row_is_left_out_for_a_stated_reason_only(tmp_path):
    """A skip without a reason is refused."""
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[table]]\nid = "a"\nfamily = "a"\ntable = "h20-linear"\nkind = "linear attention"\n'
        'use = "check"\nsource = "here"\nskip = [{ batch = 1 }]\n'
    )
    with pytest.raises(ValueError, match="needs a reason; add why"):
        anchors.load([path])
