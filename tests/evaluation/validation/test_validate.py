"""The machine model is compared with published figures, and invalid anchors are refused."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from evaluation.validation import anchors, validate, validation_table

ANCHORS = anchors.load()


@pytest.fixture(scope="module")
def results():
    """The results of all bundled anchors, computed once."""
    return validate.validate(ANCHORS)


def test_the_targets_are_met(results):
    """The median error is at most 7 % (fitted) or 12 % (checked), and no error exceeds 30 %."""
    uses = validate.summary(results)["uses"]
    assert uses["fit"]["median_pct"] <= validate.TARGETS["fit"]
    assert uses["check"]["median_pct"] <= validate.TARGETS["check"]
    assert max(use["worst_pct"] for use in uses.values()) <= validate.WORST


def test_the_readme_shows_what_validate_says(results):
    """The table of the README has the number of figures, median and worst error of both uses."""
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    for use, errors in validate.summary(results)["uses"].items():
        row = f"| {use} | {errors['anchors']} | {errors['median_pct']:.1f} % |"
        assert f"{row} {errors['worst_pct']:.1f} % |" in readme


def test_every_family_of_the_mission_is_there_and_some_are_only_checked(results):
    """The anchors cover kernels, collectives, layers and steps of both vendors."""
    families = {result.family for result in results}
    assert {"cloudmatrix-ep", "cloudmatrix-decode", "xdeepserve-colocated"} <= families
    assert {"xdeepserve-disaggregated", "h800-mla", "h800-experts", "h800-profile"} <= families
    assert {"h100-mla", "h100-experts", "h100-deepep", "h800-deepep"} <= families
    assert sum(result.use == "check" for result in results) > 200


def test_the_error_is_that_of_the_figures(results):
    """The error is predicted over published minus 1, in percent; every anchor has a source."""
    for result in results:
        assert result.error_pct == pytest.approx(100 * (result.predicted / result.published - 1))
        assert result.source
        assert result.unit
        assert np.isfinite(result.predicted)


def test_operating_points_are_shown_without_a_target(results):
    """Operating points count in no use, have a separate row, and are within a factor of two."""
    points = [result for result in results if result.use == "point"]
    assert {result.family for result in points} >= {"cloudmatrix-15ms", "deepseek-production"}
    summary = validate.summary(results)
    assert summary["points"]["anchors"] == len(points) >= 7
    assert set(summary["uses"]) == {"fit", "check"}
    assert sum(use["anchors"] for use in summary["uses"].values()) == len(results) - len(points)
    assert all(1 / 2 < result.predicted / result.published < 2 for result in points)
    console = Console(file=io.StringIO(), width=150)
    validation_table.render(points, console)
    assert "all · point, no target" in console.file.getvalue()
    assert (
        validate.summary([result for result in results if result.use != "point"])["points"] is None
    )


def test_a_worse_machine_is_seen(monkeypatch, results):
    """With half the memory bandwidth the errors grow, so that the check can fail."""
    from dataclasses import replace

    from evaluation.validation import predictions
    from hardware import Device

    slow = Device.preset("h800")
    slow = replace(slow, hbm_bytes_per_s=slow.hbm_bytes_per_s / 2)
    monkeypatch.setattr(predictions, "_preset", lambda _: slow)
    family = [anchor for anchor in ANCHORS if anchor.family == "h800-experts"]
    assert validate.summary(validate.validate(family))["uses"]["fit"]["median_pct"] > 30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[anchor]]\nid = "a"\n', r"anchor 'a': key 'family' is missing"),
        ("[anchors]\n", r"unknown tables \['anchors'\]"),
        ("", ""),
    ],
)
def test_bad_anchor_files_are_refused(tmp_path, text, message):
    """The error names file, anchor and key; an empty file has no anchors."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    if not message:
        assert anchors.load([path]) == []
        return
    with pytest.raises(ValueError, match=message):
        anchors.load([path])


GOOD = """
[[anchor]]
id = "a"
family = "mine"
use = "check"
kind = "send"
published = 20
unit = "us"
source = "here"
fabric = "cloudmatrix384"
library = "xccl"
ranks = 2
payload_bytes = 1e6
cores = 2
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('use = "check"', 'use = "guess"', "use = 'guess' is not one of fit, check"),
        ('kind = "send"', 'kind = "bend"', "kind = 'bend' is not one of kernel"),
        ("published = 20", "published = -20", "published = -20; give a number > 0"),
        ("cores = 2", "", "anchor 'a': condition 'cores' is missing"),
        ('library = "xccl"', 'library = "xcl"', "anchor 'a': unknown preset 'xcl'"),
    ],
)
def test_bad_anchors_are_refused(tmp_path, old, new, message):
    """The error names the anchor, the wrong value and the fix."""
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ValueError, match=message):
        validate.validate(anchors.load([path]))


def test_the_report_is_json_of_the_promised_keys(results):
    """The JSON report has the documented keys, which scripts read."""
    report = json.loads(json.dumps(validate.report(results)))
    keys = {"id", "family", "use", "published", "predicted", "error_pct", "unit", "source"}
    assert all(set(anchor) == keys for anchor in report["anchors"])
    assert set(report["summary"]) == {"uses", "families", "targets", "points"}
