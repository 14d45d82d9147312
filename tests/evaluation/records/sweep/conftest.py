"""A Ray cluster of two nodes on this machine."""

import importlib.util
import os
import tempfile

import pytest

#: Short intervals, so that a test notices the death of a node.
HEALTH = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 300,
    "health_check_failure_threshold": 3,
}


@pytest.fixture(scope="session")
def cluster():
    """Two nodes with one CPU each; the caller is connected to the first."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'podlab[ray]'")
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv("RAY_AUTH_MODE", "disabled")
    # Code and files of sweeps go to this folder. Its name is short, as socket names are limited.
    folder = tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True)
    patch.setenv("TMPDIR", folder.name)
    from ray.cluster_utils import Cluster

    size = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    ray_cluster = Cluster(initialize_head=True, head_node_args={**size, "_system_config": HEALTH})
    ray_cluster.add_node(**size)
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    yield ray_cluster
    ray_cluster.shutdown()
    patch.undo()
    folder.cleanup()
