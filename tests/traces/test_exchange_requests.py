"""Import and export of requests."""

import pytest

import traces
from tests.traces.formats.test_azure import YEAR_2024, written
from tests.traces.test_requests import trace
from traces import RoutingTrace, StoredRequests, formats
from traces.exchange import export_trace, import_trace, read_foreign, read_requests


def test_import_writes_the_store(tmp_path):
    """The format is found, and the file opens like any other."""
    stored = import_trace(written(tmp_path, YEAR_2024), tmp_path / "x.parquet")
    assert isinstance(stored, StoredRequests)
    assert stored.provenance["origin"] == "requests.txt, read as azure"
    assert traces.load(tmp_path / "x.parquet").num_requests == 3


def test_a_failed_import_leaves_nothing(tmp_path):
    """Neither a store file nor a temporary one."""
    path = written(tmp_path, YEAR_2024 + "x\n")
    with pytest.raises(ValueError, match=r"requests\.txt \(azure\): line 5"):
        import_trace(path, tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == [path]


def test_kinds_are_told_apart(tmp_path):
    """Requests are no routing, neither way."""
    path = written(tmp_path, YEAR_2024)
    with pytest.raises(ValueError, match=r"azure holds requests, not routing; read_requests\(\)"):
        next(read_foreign(path))
    with pytest.raises(ValueError, match="competition holds routing, not requests"):
        read_requests(path, "competition")
    routing = RoutingTrace([[[1, 2]]], "toy", 1)
    with pytest.raises(ValueError, match="azure does not hold what this is, a RoutingTrace"):
        export_trace(routing, tmp_path / "x.csv", "azure")
    with pytest.raises(ValueError, match="competition does not hold what this is, a RequestTrace"):
        export_trace(trace(), tmp_path / "x.npy", "competition")
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        read_requests(tmp_path / "none.csv", "azure")


def test_every_format_has_its_parts():
    """Recognise, read, write, and a docstring with the layout."""
    for name in formats.REQUESTS:
        module = formats.named(name)
        assert callable(module.recognises)
        assert callable(module.read)
        assert callable(module.write)
        assert "line" in module.__doc__
