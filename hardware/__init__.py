"""Devices, model shapes, the fabric graph, collectives and operator timings.

Examples
--------
>>> from hardware import Fabric
>>> fabric = Fabric.preset("cloudmatrix384", num_ranks=32)
>>> fabric
Fabric(cloudmatrix384: 32 ranks, 166 nodes, 1040 links)
"""

from hardware.collectives import Collectives, Library
from hardware.device import Device
from hardware.fabric import Fabric
from hardware.kernels import Kernels
from hardware.model import Model
from hardware.operators import Operators
from hardware.preset import KINDS, available

__all__ = [
    "KINDS",
    "Collectives",
    "Device",
    "Fabric",
    "Kernels",
    "Library",
    "Model",
    "Operators",
    "available",
]
