"""Ports that carry keys and values."""

import pytest

from evaluation.replay.scenario import fabric_of
from evaluation.serving.engine.kv_transfer import Ports, ports

ONE = (1.0, 1.0)


def test_a_lone_transfer_takes_latency_and_size():
    """Seconds are latency plus bytes over the rate of the dies of a group."""
    assert Ports(100.0, 0.5).send(1.0, (0, 0), (1, 0), (2.0, 2.0), 400.0) == (1.0, 3.5)


def test_the_end_with_fewer_dies_sets_the_rate():
    """A group of one die slows one of four, whichever end it is."""
    narrow = Ports(100.0, 0.0).send(0.0, (0, 0), (1, 0), (1.0, 4.0), 400.0)
    wide = Ports(100.0, 0.0).send(0.0, (0, 0), (1, 0), (4.0, 1.0), 400.0)
    assert narrow == wide == (0.0, 4.0)


@pytest.mark.parametrize(
    "second", [((0, 0), (2, 0)), ((3, 0), (1, 0))], ids=["same sender", "same receiver"]
)
def test_first_come_first_served_at_either_end(second):
    """A transfer waits for one booked before it at the port that it shares."""
    planes = Ports(100.0, 0.0)
    assert planes.send(0.0, (0, 0), (1, 0), ONE, 100.0) == (0.0, 1.0)
    assert planes.send(0.5, *second, ONE, 100.0) == (1.0, 2.0)
    assert planes.send(5.0, *second, ONE, 100.0) == (5.0, 6.0)


def test_groups_of_one_executor_have_ports_of_their_own():
    """Transfers that share neither sender nor receiver run side by side."""
    planes = Ports(100.0, 0.0)
    planes.send(0.0, (0, 0), (1, 0), ONE, 100.0)
    assert planes.send(0.0, (0, 1), (1, 1), ONE, 100.0) == (0.0, 1.0)


def test_a_port_sends_and_receives_at_once():
    """The two directions of a port do not wait for each other."""
    planes = Ports(100.0, 0.0)
    planes.send(0.0, (0, 0), (1, 0), ONE, 100.0)
    assert planes.send(0.0, (1, 0), (0, 0), ONE, 100.0) == (0.0, 1.0)


def test_an_unknown_plane_names_those_there_are():
    """A plane that the fabric lacks is refused by name."""
    fabric = fabric_of("cloudmatrix384", 16)
    with pytest.raises(ValueError, match="plane = 'post' is not one of the fabric"):
        ports(fabric, "post")
    assert ports(fabric, "ub").die_bytes_per_s > ports(fabric, "rdma").die_bytes_per_s > 0
