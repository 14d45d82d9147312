"""A Ray cluster of two nodes on this machine, for the tests of this room."""

import importlib.util
import os
import tempfile

import pytest

#: Seconds are short, so that the death of a node is seen in a test.
HEALTH = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 300,
    "health_check_failure_threshold": 3,
}


@pytest.fixture(scope="session")
def cluster():
    """Two nodes of one CPU each; the caller's end sits on the first."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'podlab[ray]'")
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv("RAY_AUTH_MODE", "disabled")
    # what sweeps bring along goes there; names of Ray's sockets leave room for a short one alone
    folder = tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True)
    patch.setenv("TMPDIR", folder.name)
    from ray.cluster_utils import Cluster

    size = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args={**size, "_system_config": HEALTH})
    made.add_node(**size)
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    yield made
    made.shutdown()
    patch.undo()
    folder.cleanup()
