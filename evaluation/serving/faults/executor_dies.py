"""The dies of a task executor, with the DP groups and the experts on them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hardware import Fabric
from lb import Placement

ROLES = ("prefill", "decode", "both")


@dataclass(frozen=True, eq=False)
class ExecutorDies:
    """The dies of a task executor, as faults see them now.

    Dies are numbered from 0 within the executor. They keep their numbers when some are lost.

    Parameters
    ----------
    name
        "prefill-0" …
    role
        "prefill", "decode" or "both".
    dies, dies_per_node
        Number of dies that it was built with; they fill one node after another.
    groups
        DP groups, in equal parts over the dies that hold attention.
    attention_dies
        Disaggregated MoE and attention: the number of dies that hold attention alone, the first
        ones; the others hold experts alone. ``None``: colocated, every die holds both.
    placement
        Experts over :attr:`placed_on`; ``None`` if it is not known.
    placed_on
        Dies of the ranks of the placement, by default :attr:`ranks`. An executor that goes on
        without some experts keeps the placement from before, whose lost ranks hold nothing now.
    most_slots
        Expert weights of one layer that a die has memory for; ``None``: no limit.
    fabric
        The network between its dies by which tokens reach experts; die ``d`` is rank ``d``. Only
        faults of links and switches need it.
    lost_dies
        Dies that it runs without.
    planes
        All networks between its dies by name, also that of keys and values.

    Raises
    ------
    ValueError
        If a number is out of range, the placement has another number of ranks than it is placed on
        or leaves out a die with experts that is left, or the fabric has other ranks than dies.
    """

    name: str
    role: str
    dies: int
    dies_per_node: int
    groups: int
    attention_dies: int | None = None
    placement: Placement | None = None
    placed_on: tuple[int, ...] | None = None
    most_slots: int | None = None
    fabric: Fabric | None = None
    lost_dies: frozenset[int] = frozenset()
    planes: Mapping[str, Fabric] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lost_dies", frozenset(self.lost_dies))
        if self.role not in ROLES:
            raise ValueError(f"{self.name}: role = {self.role!r} is not one of {', '.join(ROLES)}")
        if min(self.dies, self.dies_per_node, self.groups) < 1:
            raise ValueError(
                f"{self.name}: dies = {self.dies} >= 1, dies_per_node = {self.dies_per_node} >= 1 "
                f"and groups = {self.groups} >= 1 must all hold"
            )
        if self.attention_dies is not None and not 0 < self.attention_dies < self.dies:
            raise ValueError(
                f"{self.name}: attention_dies = {self.attention_dies} breaks 0 < attention_dies < "
                f"dies = {self.dies}; leave it out where every die holds both"
            )
        outside = sorted(die for die in self.lost_dies if not 0 <= die < self.dies)
        if outside:
            raise ValueError(
                f"{self.name}: lost die {outside[0]} breaks 0 <= die < dies = {self.dies}"
            )
        if self.placed_on is None:
            object.__setattr__(self, "placed_on", self.ranks)
        self._check_placement(tuple(self.placed_on or ()))
        for fabric in (self.fabric, *self.planes.values()):
            if fabric is not None and fabric.num_ranks != self.dies:
                raise ValueError(
                    f"{self.name}: the fabric has {fabric.num_ranks} ranks for {self.dies} dies; "
                    "build it with num_ranks = dies"
                )

    def _check_placement(self, placed_on: tuple[int, ...]) -> None:
        if not set(self.ranks) <= set(placed_on) <= set(self.built_ranks):
            raise ValueError(
                f"{self.name}: placed_on = {placed_on} must hold the dies with experts that are "
                f"left, {self.ranks}, and no die without experts"
            )
        if self.placement is not None and self.placement.num_ranks != len(placed_on):
            raise ValueError(
                f"{self.name}: the placement has {self.placement.num_ranks} ranks for "
                f"{len(placed_on)} dies with experts; give one for these"
            )

    @property
    def colocated(self) -> bool:
        """Whether every die holds attention and experts."""
        return self.attention_dies is None

    @property
    def nodes(self) -> int:
        """Nodes that the dies fill; the last may be filled in part."""
        return -(-self.dies // self.dies_per_node)

    @property
    def built_ranks(self) -> tuple[int, ...]:
        """Dies with experts, lost or not, ascending."""
        return tuple(range(self.attention_dies or 0, self.dies))

    @property
    def ranks(self) -> tuple[int, ...]:
        """Dies with experts that are left, ascending."""
        return tuple(die for die in self.built_ranks if die not in self.lost_dies)

    def network(self, plane: str) -> Fabric | None:
        """Return a network by its name; for an empty name, that of expert parallelism."""
        return self.planes.get(plane) if plane else self.fabric

    def dies_of_group(self, group: int) -> tuple[int, ...]:
        """Return the dies that hold a part of the attention of a DP group."""
        width = self.attention_dies or self.dies
        return tuple(range(group * width // self.groups, -(-(group + 1) * width // self.groups)))

    def dies_of_node(self, node: int) -> tuple[int, ...]:
        """Return the dies of one node, lost ones included."""
        first = node * self.dies_per_node
        return tuple(range(first, min(first + self.dies_per_node, self.dies)))

    def holds_attention(self, die: int) -> bool:
        """Return whether a die works for a DP group."""
        return self.attention_dies is None or die < self.attention_dies

    def groups_on(self, dies: Iterable[int]) -> tuple[int, ...]:
        """Return the DP groups that have a part on one of these dies, ascending.

        Group ``g`` of G spans the dies from g D / G to (g + 1) D / G of the D with attention. So a
        group may have several dies, or a die several groups.
        """
        width = self.attention_dies or self.dies
        groups: set[int] = set()
        for die in dies:
            if self.holds_attention(die):
                first, end = die * self.groups // width, -(-(die + 1) * self.groups // width)
                groups.update(range(first, end))
        return tuple(sorted(groups))
