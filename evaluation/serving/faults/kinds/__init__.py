"""Kinds of faults: a class for each, in a file of its own."""

from evaluation.serving.faults.kinds.die import Die
from evaluation.serving.faults.kinds.glitch import Glitch
from evaluation.serving.faults.kinds.kind import FaultEffect, FaultKind
from evaluation.serving.faults.kinds.link import Link
from evaluation.serving.faults.kinds.node import Node
from evaluation.serving.faults.kinds.slow import Slow
from evaluation.serving.faults.kinds.switch import Switch

#: All kinds by name, in the order in which they are listed.
KINDS: dict[str, FaultKind] = {
    kind.name: kind for kind in (Die(), Node(), Link(), Switch(), Slow(), Glitch())
}

__all__ = ["KINDS", "FaultEffect", "FaultKind"]
