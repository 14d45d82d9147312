"""`podlab trace` on request traces."""

import traces
from tests.evaluation.cli.trace.calls import assert_usage_error, podlab


def test_requests_go_the_same_way(folder):
    """They are joined, taken out and brought in; they are not cut, nor joined with routing."""
    out, csv, back = folder / "r.parquet", folder / "r.csv", folder / "back.parquet"
    assert podlab("cat", "azure-2023-conv", "mooncake-conv", out).exit_code == 0
    assert traces.load(out).num_requests == 19366 + 12031
    assert podlab("export", "azure-2023-conv", csv, "--format", "azure").exit_code == 0
    result = podlab("import", csv, back)
    assert result.exit_code == 0, result.output
    assert f"{csv}: azure" in result.stdout
    assert traces.load(back).num_requests == 19366
    assert_usage_error(podlab("cut", "mooncake-conv", out, "--steps", "0:1"), "only routing is cut")
    mixed = podlab("cat", "olmoe-domains", "mooncake-conv", out)
    assert_usage_error(mixed, "mooncake-conv: holds no routing; only traces of one kind")
    about = podlab("import", csv, back, "--top-k", "2")
    assert_usage_error(about, "azure holds requests")
