"""Names of points do not cover other names or points."""

from evaluation.report.point_labels import place_labels


def test_a_single_point_is_named():
    """One point has no neighbours."""
    assert place_labels([0.5], [0.5], ["greedy"])[0] == ["greedy"]


def test_equal_points_are_named_once_a_side():
    """Names of points on one spot surround it; names without a free position are left out."""
    texts, positions = place_labels(
        [1.0] * 20 + [0.0, 2.0], [1.0] * 20 + [0.0, 2.0], ["abcdef"] * 22
    )
    shown = [position for text, position in zip(texts[:20], positions, strict=False) if text]
    assert 1 < len(shown) < 20
    assert len(set(shown)) == len(shown)


def test_none_lies_on_another():
    """Two points side by side: the left one's name does not run into the right one."""
    texts, positions = place_labels(
        [0.0, 1.0, 1.1, 10.0], [0, 1, 1, 2], ["a", "long-name", "other", "b"]
    )
    at = texts.index("long-name") if "long-name" in texts else None
    assert at is None or positions[at] != "middle right"
