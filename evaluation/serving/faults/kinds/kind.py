"""What one kind of fault has to answer."""

from abc import ABC, abstractmethod
from enum import Enum
from typing import ClassVar

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_parts import FabricParts
from evaluation.serving.faults.fault import Fault
from hardware import Fabric


class FaultEffect(Enum):
    """What a fault does to its task executor.

    The failure plan and the fault injector depend on the effect, never on the kind: all kinds with
    the same effect take the same course.
    """

    LOSES_DIES = "Dies are lost with the experts and the key-value cache on them."
    BREAKS_PATHS = "Traffic waits, then takes other paths; dies may be cut off."
    SLOWS_DIES = "Dies compute at a lower speed; nothing stops."
    INTERRUPTS = "The step under way is computed again; nothing is lost."


class FaultKind(ABC):
    """One kind of fault: which dies, which speed, which links.

    A subclass answers for its effect and leaves the other answers as they are here.

    Attributes
    ----------
    name
        Value of the key ``kind`` in a [[fault]] table.
    effect
        What a fault of this kind does.
    keys
        Keys of a [[fault]] table that only some kinds have, and that this kind has. All kinds have
        ``at_s``, ``executor``, ``kind``, ``index`` and ``lasts_s``.
    devices_name
        Plural noun of the devices, for error messages.
    random_stream
        Number that joins the seed of random faults, different for each kind, so that adding a kind
        changes no random number of another; ``None``: faults of this kind are only scheduled.
    recurs
        Whether a random fault comes again without a repair.
    """

    name: ClassVar[str]
    effect: ClassVar[FaultEffect]
    keys: ClassVar[frozenset[str]] = frozenset()
    devices_name: ClassVar[str]
    random_stream: ClassVar[int | None] = None
    recurs: ClassVar[bool] = False

    @abstractmethod
    def devices(self, executor: ExecutorDies) -> int:
        """Return how many devices of an executor can fail in this way.

        Raises
        ------
        ValueError
            If the executor has no network whose parts could fail.
        """

    def check(self, fault: Fault, executor: ExecutorDies) -> None:
        """Raise ValueError, naming the fault, if the executor has no such device."""
        devices = self.devices(executor)
        if not 0 <= fault.index < devices:
            raise ValueError(
                f"{fault.label}: index = {fault.index} breaks 0 <= index < {devices} "
                f"{self.devices_name} of {executor.name}"
            )

    def dies(self, fault: Fault, executor: ExecutorDies) -> tuple[int, ...]:
        """Return the dies that the fault takes or slows by itself, lost before or not."""
        return ()

    def parts(self, fault: Fault, fabric: Fabric) -> FabricParts:
        """Return the links and switches that the fault breaks.

        Raises
        ------
        ValueError
            If the fabric has no such part; the nearest name is suggested.
        """
        return FabricParts()
