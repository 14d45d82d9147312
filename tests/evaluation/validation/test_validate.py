"""The machine model is compared with published figures, and invalid anchors are refused."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from evaluation.validation import anchors, validate, validation_table
from hardware import table

ANCHORS = anchors.load()


@pytest.fixture(scope="module")
def results():
    """The results of all bundled anchors, computed once."""
    return validate.validate(ANCHORS)


#: Errors of the lanes in percent that no change may exceed: median, p90, worst, size of the bias.
CEILINGS = {
    "kernels": (10, 37.1, 125, 1),
    "steps": (10.7, 15.9, 25.6, 4.2),
    "systems": (7.7, 25.2, 26, 5.1),
}


@pytest.mark.parametrize("lane", CEILINGS)
def test_no_lane_gets_worse(results, lane):
    """Each lane's errors stay within what they were at the last change of the model."""
    found = validate.summary(results)["lanes"][lane]
    keys = ("median_pct", "p90_pct", "worst_pct", "bias_pct")
    for key, ceiling in zip(keys, CEILINGS[lane], strict=True):
        assert abs(found[key]) <= ceiling, key


def test_the_readme_shows_what_validate_says(results):
    """The README has the number of figures and the errors of every lane, and the textbook's."""
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    for lane, row in validate.summary(results)["lanes"].items():
        errors = [f"{row[f'{key}_pct']:.1f} %" for key in ("median", "p90", "worst")]
        cells = [lane, f"{row['figures']:,}", *errors, f"{row['bias_pct']:+.1f} %"]
        assert f"| {' | '.join(cells)} | {row['textbook_median_pct']:.1f} % |" in readme


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


def test_every_published_gain_by_overlap_has_its_sign(results):
    """Two micro-batches help where they were published to help, and hurt where they hurt."""
    gains = {one.id: one for one in results if one.lane == validate.ABLATIONS}
    assert len(gains) == 7
    for one in gains.values():
        assert (one.predicted > 1) == (one.published > 1), one.id
    assert gains["sglang-overlap-decode-32"].predicted < 0.8
    found = validate.summary(results)["ablations"]
    assert found == {"figures": 7, "right_sign": 7}


def test_a_measurement_counts_once(results):
    """Figures that repeat another are shown and count nowhere; prefill counts like decode."""
    repeats = {result.id for result in results if result.use == "repeat"}
    assert {"cm-step-96", "cm-step-112", "cm-step-8", "xds-share-dispatch"} <= repeats
    summary = validate.summary(results)
    gains = sum(result.lane == validate.ABLATIONS for result in results)
    counted = len(results) - len(repeats) - gains
    for groups in (summary["lanes"], summary["uses"], summary["families"]):
        assert sum(row["figures"] for row in groups.values()) == counted
    systems = {result.id: result.use for result in results if result.lane == "systems"}
    assert systems["cm-prefill"] == systems["sglang-prefill-96"] == "check"
    assert systems["xds-disaggregated-step"] == "check"


def test_every_row_of_every_table_is_used_or_left_out_with_a_reason(results):
    """No row of a bundled table is passed over in silence, and none counts twice."""
    rows = sum(len(list(anchors.read(path))) for path in table.FOLDER.glob("*.csv"))
    # Rows of tables have the columns of tables; published figures do not.
    of_tables = [anchor for anchor in ANCHORS if "v_width" in anchor.conditions]
    assert len(of_tables) == rows
    skipped = validate.left_out(ANCHORS)
    assert all(why for _, why in skipped)
    assert sum(skipped.values()) == len(ANCHORS) - len(results)


def test_the_bias_is_that_of_seconds():
    """Half the tokens/s is twice the seconds: +100 %, and the textbook's own beside it."""
    half = validate.AnchorResult(
        "a", "f", "check", "systems", 100.0, 50.0, 100.0, -50.0, "tokens/s", "here"
    )
    found = validate.errors([half])
    assert found["bias_pct"] == pytest.approx(100)
    assert found["median_pct"] == found["worst_pct"] == pytest.approx(100)
    assert found["textbook_bias_pct"] == 0


def test_the_textbook_is_the_slower_of_memory_and_products():
    """7168 x 1536 in FP8 with 16 rows: its bytes over 0.8 of 3.35 TB/s, and 5 µs."""
    anchor = next(a for a in ANCHORS if a.family == "h800-gemm")
    found = validate.validate([anchor])[0].textbook
    moved = 7168 * 1536 + 16 * 7168 + 2 * 16 * 1536
    assert found == pytest.approx(5 + moved / (0.8 * 3.35e6))


def test_a_worse_machine_is_seen(monkeypatch, results):
    """With half the memory bandwidth the errors grow, so that the check can fail."""
    from dataclasses import replace

    from evaluation.validation import predictions
    from hardware import Device

    slow = Device.preset("h800")
    slow = replace(slow, hbm_bytes_per_s=slow.hbm_bytes_per_s / 2)
    monkeypatch.setattr(predictions, "_preset", lambda _: slow)
    family = [anchor for anchor in ANCHORS if anchor.family == "h800-experts"]
    assert validate.summary(validate.validate(family))["lanes"]["kernels"]["median_pct"] > 30


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
        ('use = "check"', "", "anchor 'a': key 'use' is missing"),
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
    report = json.loads(json.dumps(validate.report(results, ANCHORS)))
    keys = {"id", "family", "use", "lane", "published", "predicted", "textbook", "error_pct"}
    assert all(set(anchor) == keys | {"unit", "source"} for anchor in report["anchors"])
    assert set(report["summary"]) == {"lanes", "uses", "families", "ablations"}
    assert sum(entry["rows"] for entry in report["left_out"]) > 0


def test_the_table_names_lanes_baseline_and_what_is_left_out(results):
    """The terminal shows lanes, the textbook's errors, and the reasons of rows left out."""
    console = Console(file=io.StringIO(), width=150)
    validation_table.render(results, ANCHORS, console)
    shown = console.file.getvalue()
    for text in ("kernels · fit", "systems · check", "textbook roofline", "Left out: "):
        assert text in shown
