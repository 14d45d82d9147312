"""Selected experts of queries, a JSON file each."""

import json

import numpy as np
import pytest

from traces.exchange import import_trace, read_foreign
from traces.formats import recognised, selection_json
from traces.formats.about import About

ABOUT = About(model="m", experts=8)
IDS = np.argsort(np.random.default_rng(0).random((5, 2, 8)), axis=2)[:, :, :3]


def query(prompt=3, ids=IDS):
    """Return the passes of a query, layer 0 dense, layers 3 and 10 with experts."""
    passes = [{"0": None, "10": ids[:prompt, 1].tolist(), "3": ids[:prompt, 0].tolist()}]
    for token in ids[prompt:]:
        passes.append({"0": None, "3": [token[0].tolist()], "10": [token[1].tolist()]})
    return passes


def written(path, content):
    """Write JSON into a folder that need not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_a_query_is_a_sample(tmp_path):
    """Prefill and decoded tokens in order, layers by number and not as text."""
    path = written(tmp_path / "q.json", query())
    assert recognised(path) == "selection-json"
    (trace,) = read_foreign(path, about=ABOUT)
    np.testing.assert_array_equal(trace.experts, IDS)
    assert trace.sample_lengths.tolist() == [5]
    assert trace.provenance["layers"] == "3 10"


@pytest.mark.parametrize(("phase", "tokens"), [("prefill", IDS[:3]), ("decode", IDS[3:])])
def test_a_phase_alone(tmp_path, phase, tokens):
    """The first pass is the prefill, the others decode."""
    path = written(tmp_path / "q.json", query())
    (trace,) = read_foreign(path, about=About(experts=8, phase=phase))
    np.testing.assert_array_equal(trace.experts, tokens)
    assert trace.phase == phase


def test_a_folder_of_benchmarks(tmp_path, monkeypatch):
    """All queries below a folder, each a sample of the stored trace; passes turned in groups."""
    monkeypatch.setattr(selection_json, "PASSES", 2)
    written(tmp_path / "in" / "mmlu" / "anatomy" / "1.json", query())
    written(tmp_path / "in" / "mmlu" / "astronomy" / "0.json", query(1, IDS[::-1]))
    assert recognised(tmp_path / "in") == "selection-json"
    stored = import_trace(tmp_path / "in", tmp_path / "a.parquet", about=ABOUT).load()
    np.testing.assert_array_equal(stored.experts, np.concatenate([IDS, IDS[::-1]]))
    assert stored.sample_lengths.tolist() == [5, 5]


def test_plain_lists(tmp_path):
    """Tokens of layers of ids, where the format is named."""
    path = written(tmp_path / "q.json", IDS.tolist())
    assert not selection_json.recognises(path)
    (trace,) = read_foreign(path, "selection-json", ABOUT)
    np.testing.assert_array_equal(trace.experts, IDS)


def changed(change):
    """Return a query after ``change`` of its list."""
    passes = query()
    change(passes)
    return passes


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([{"0": None}], r"element 0 names \['0'\]; give layers by their number"),
        ([{"x": [[1]]}], r"element 0 names \['x'\]"),
        ([[]], "element 0 is empty"),
        ([{"3": 1}], "element 0, layer 3 is 1; give a row a token"),
        (changed(lambda q: q[4 - 3].pop("3")), "element 1 has other layers"),
        (changed(lambda q: q[0]["3"].pop()), "elements 0 to 0: experts is ragged"),
        (changed(lambda q: q[1]["3"][0].append(7)), "elements 1 to 2: experts is ragged"),
        (changed(lambda q: [p.update({"3": [[1]], "10": [[1]]}) for p in q[1:]]), "choices; every"),
        (changed(lambda q: q[1].update({"3": [[1, 2, None]]})), "other things than numbers"),
        (changed(lambda q: q[1].update({"3": [[1, 2, 0.5]]})), "token 3, layer 0, choice 2 is 0.5"),
        (
            changed(lambda q: q[1].update({"3": [[1, 2, 8]]})),
            "token 3, layer 0, choice 2 is 8, out",
        ),
        (changed(lambda q: q[2].update({"10": [[1, 2, 2]]})), "token 4 chooses expert 2 twice"),
        (changed(lambda q: q[2].update({"10": [[1, 2, -1]]})), "layer 1, choice 2 is -1"),
        (changed(lambda q: q[2].update({"10": []})), "is ragged"),
        ([{"1": []}], "have shape"),
    ],
)
def test_what_is_wrong_has_its_place(tmp_path, content, said):
    """The element or the token is named, and the file in a folder; nothing is left behind."""
    path = written(tmp_path / "in" / "s" / "q.json", content)
    for source in (path, tmp_path / "in"):
        place = "" if source == path else r"s/q\.json: "
        with pytest.raises(ValueError, match=rf"\(selection-json\): {place}.*{said}"):
            import_trace(source, tmp_path / "x.parquet", "selection-json", ABOUT)
    assert [found.name for found in tmp_path.iterdir()] == ["in"]


def test_one_model_at_a_time(tmp_path):
    """Files of other layers are named."""
    written(tmp_path / "a.json", query())
    written(tmp_path / "b.json", query(1, IDS[:, :, :2]))
    with pytest.raises(ValueError, match=r"b\.json: has 2 layers and 2 choices"):
        list(read_foreign(tmp_path, "selection-json", ABOUT))


def test_nothing_to_read(tmp_path):
    """No file, or no token of the phase."""
    with pytest.raises(ValueError, match=r"has no \.json file"):
        list(read_foreign(tmp_path, "selection-json", ABOUT))
    written(tmp_path / "a.json", query()[:1])
    with pytest.raises(ValueError, match="no token of the phase 'decode'"):
        list(read_foreign(tmp_path, "selection-json", About(experts=8, phase="decode")))
    with pytest.raises(ValueError, match="does not say how many experts"):
        list(read_foreign(tmp_path, "selection-json"))
