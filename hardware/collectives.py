"""Collectives of a MoE layer: dispatch and combine, A2E and E2A, and sending between two ranks."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware import preset
from hardware.fabric import Fabric
from hardware.model import Model

Array = NDArray[np.float64]


OPTIONAL_RATES = (
    "token_bytes_per_s",
    "core_bytes_per_s",
    "core_between_bytes_per_s",
    "block_token_s",
    "block_experts",
)


def _bool(value: Any) -> str | None:
    return None if isinstance(value, bool) else "give true or false"


def _phase(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "give a table"
    checks = dict.fromkeys(("setup_s", "setup_between_s"), preset.not_negative)
    checks |= dict.fromkeys(("within_bytes_per_s", "between_bytes_per_s"), preset.positive)
    checks |= dict.fromkeys(OPTIONAL_RATES, preset.positive)
    try:
        preset.checked("", value, checks, frozenset({"setup_between_s", *OPTIONAL_RATES}))
    except ValueError as error:
        return str(error).lstrip(": ")
    return None


CHECKS: dict[str, preset.Check] = {
    "name": preset.text,
    "source": preset.text,
    "overhead_bytes": preset.not_negative,
    "scale_bytes_per_element": preset.not_negative,
    "ports_share": _bool,
    "dispatch": _phase,
    "combine": _phase,
    "send": preset.table_of(preset.positive),
    "one_copy_a_rank": _bool,
    "cores": preset.count_from_one,
}


@dataclass(frozen=True)
class Library:
    """Rates and overheads of a communication library, without contention on links.

    Parameters
    ----------
    name, source
        Which, and where the figures come from.
    overhead_bytes, scale_bytes_per_element
        Bytes that travel with a dispatched 8-bit token: fixed, and for each element.
    ports_share
        Whether traffic within and between nodes follows one another through the same ports (UB),
        or runs side by side (NVLink and NIC).
    dispatch, combine
        ``setup_s`` and, where ranks are on several nodes, ``setup_between_s`` more: what no data
        costs. ``within_bytes_per_s`` and ``between_bytes_per_s``: the rate at which one rank pulls
        from its own node and from others. ``token_bytes_per_s``: the rate at which the copies of
        one token pass, one after another, however few tokens there are. ``core_bytes_per_s``: what
        one of ``cores`` copies, and ``core_between_bytes_per_s`` where ranks are on several nodes.
        ``block_token_s``: seconds in which a block of ``block_experts`` experts sends one token;
        with few experts few blocks send.
    send
        ``setup_s`` and ``core_bytes_per_s`` of a transfer between two ranks.
    one_copy_a_rank
        Whether a token with several experts on a rank is sent there once, and once to each node
        with its experts, where it is forwarded. Else a copy is sent for every expert.
    cores
        Cores that communicate, where the phases say what one of them copies.
    """

    name: str
    source: str
    overhead_bytes: float
    scale_bytes_per_element: float
    ports_share: bool
    dispatch: Mapping[str, float]
    combine: Mapping[str, float]
    send: Mapping[str, float]
    one_copy_a_rank: bool = False
    cores: int = 1

    @classmethod
    def preset(cls, name_or_path: str | Path) -> "Library":
        """Read a bundled preset or a ``.toml`` file of the same keys; errors as ValueError."""
        optional = frozenset({"one_copy_a_rank", "cores"})
        return cls(**preset.read(preset.find("collectives", name_or_path), CHECKS, optional))


@dataclass(frozen=True)
class Collectives:
    """Pull-based dispatch and combine in the manner of XCCL (xDeepServe section 3.2).

    Counts are broadcast first, and every rank waits for all of them: the setup. Then each rank
    pulls at the rate that its vector cores reach, and all share the links: the longer of the two
    counts. A rank's bytes to itself cross nothing. A single rank, and a step without any token,
    cost nothing: no counts are exchanged, since there is nobody to send them to, or the engine
    runs no step. A step in which any rank has a token pays the setup, wherever the token goes.

    In dispatch a heavily loaded rank pulls more than others. In combine every rank pulls the
    results of its own tokens, so a heavily loaded rank delays the others by what must leave it over
    its links.

    Parameters
    ----------
    fabric
        Where the ranks are. Its figure ``dies_per_node`` says which share a node.
    model
        Whose hidden states travel.
    library
        What the communication library reaches; ``None``: the links alone decide.
    contention
        Whether links are counted at all. Without, only what ranks pull decides, which is faster
        and exact where the library is slower than the links.
    """

    fabric: Fabric
    model: Model
    library: Library | None = None
    contention: bool = True

    @property
    def dispatch_bytes(self) -> float:
        """Bytes of one dispatched token copy: 8 bits an element, scales and header."""
        width, library = self.model.routed_width, self.library
        if library is None:
            return float(width)
        return width * (1 + library.scale_bytes_per_element) + library.overhead_bytes

    @property
    def combine_bytes(self) -> float:
        """Bytes of one combined token copy: BF16."""
        return 2.0 * self.model.routed_width

    def dispatch_s(self, rank_tokens: ArrayLike) -> Array:
        """Seconds of dispatch, source tokens being spread evenly over the ranks.

        Parameters
        ----------
        rank_tokens
            [..., ranks] token copies that each rank's experts receive.

        Returns
        -------
        ndarray
            [...] seconds; 0 where no rank has a token.
        """
        arriving = np.asarray(rank_tokens, dtype=np.float64) * self.dispatch_bytes
        near, far = self._even_shares
        # The rank that receives most has pulled last.
        most, mean = arriving.max(axis=-1), arriving.mean(axis=-1)
        pulled = self._pull_s("dispatch", most * near, most * far, mean)
        return self._with_setup("dispatch", self._slower(pulled, arriving, inbound=True), mean)

    def combine_s(self, rank_tokens: ArrayLike) -> Array:
        """Seconds of combine: the experts' results, [..., ranks] token copies, go back."""
        leaving = np.asarray(rank_tokens, dtype=np.float64) * self.combine_bytes
        near, far = self._even_shares
        # Every rank pulls the results of its own tokens, and the tokens start evenly.
        mean = leaving.mean(axis=-1)
        pulled = self._pull_s("combine", mean * near, mean * far, mean)
        return self._with_setup("combine", self._slower(pulled, leaving, inbound=False), mean)

    def exchange_s(self, copies: ArrayLike, name: str) -> Array:
        """Seconds of dispatch or combine when sources matter.

        Parameters
        ----------
        copies
            [..., source, expert rank] token copies: tokens that start on ``source`` and have an
            expert on the other. Those of the same rank cross nothing, those of the same node
            cross less.
        name
            "dispatch" or "combine".

        Returns
        -------
        ndarray
            [...] seconds.

        Raises
        ------
        ValueError
            If the name or the shape is wrong, or a number is negative or not finite.
        """
        if name not in ("dispatch", "combine"):
            raise ValueError(f"name = {name!r} is not 'dispatch' or 'combine'")
        size = self.dispatch_bytes if name == "dispatch" else self.combine_bytes
        sent = np.asarray(copies, dtype=np.float64) * size
        # Results go the other way.
        if name == "combine":
            sent = np.swapaxes(sent, -1, -2)
        links = np.asarray(self.fabric.all_to_all(sent))  # checks the matrix, too
        if self.library is not None and self.library.one_copy_a_rank:
            links = np.zeros(links.shape)
        node = np.arange(self.fabric.num_ranks) // self._node_ranks
        same = (node[:, None] == node[None, :]) & ~np.eye(len(node), dtype=bool)
        near = np.where(same, sent, 0.0).sum(axis=-2)
        far = np.where(node[:, None] != node[None, :], sent, 0.0).sum(axis=-2)
        mean = sent.sum(axis=(-1, -2)) / self.fabric.num_ranks
        # Every rank sends about as many tokens.
        pulled = self._pull_s(name, *self._crossing(near, far), mean[..., None]).max(axis=-1)
        return self._with_setup(name, np.maximum(pulled, links), mean)

    def send_s(self, payload_bytes: float, cores: int = 2) -> float:
        """Seconds of one transfer between two ranks of different nodes.

        A few vector cores copy at their own rate; many fill the port (xDeepServe section 3.1).

        Raises
        ------
        ValueError
            Unless ``payload_bytes`` >= 0 and ``cores`` >= 1.
        """
        if not payload_bytes >= 0 or cores < 1:
            raise ValueError(
                f"payload_bytes = {payload_bytes} >= 0 and cores = {cores} >= 1 must hold"
            )
        port = self.fabric.port_bytes_per_s
        if self.library is None:
            return payload_bytes / port
        # A few cores are the limit, many fill the port.
        rate = min(cores * self.library.send["core_bytes_per_s"], port)
        return self.library.send["setup_s"] + payload_bytes / rate

    def all_reduce_s(self, tokens: ArrayLike, ranks: int) -> Array:
        """Seconds to add up BF16 hidden states over ranks that each have a part of every sum.

        A rank receives the others' parts of its share of the tokens, then the other shares: reduce-
        scatter and all-gather, each ``(ranks - 1) / ranks`` of the tokens through a rank's port.
        Nobody publishes figures for it on this fabric; that both phases reach the write rate of
        the port after the setup of one transfer is an assumption of ours.

        Parameters
        ----------
        tokens
            [...] tokens of the whole group.
        ranks
            Of the group; nothing is sent for one.

        Raises
        ------
        ValueError
            If there is no rank, or a number of tokens is negative or not finite.
        """
        amount = np.asarray(tokens, dtype=np.float64)
        if ranks < 1 or not ((amount >= 0) & np.isfinite(amount)).all():
            raise ValueError(f"tokens = {amount} must be finite and >= 0, ranks = {ranks} >= 1")
        if ranks == 1:
            return np.zeros(amount.shape)
        setup = 0.0 if self.library is None else self.library.send["setup_s"]
        # BF16; each rank keeps its own part.
        sent = (ranks - 1) / ranks * amount * 2.0 * self.model.hidden
        seconds: Array = 2 * (setup + sent / self.send_bytes_per_s())
        return seconds

    def a2e_s(self, tokens: float, attention_ranks: int, expert_ranks: int) -> float:
        """Seconds of attention-to-expert with trampoline forwarding (xDeepServe section 3.3).

        As many expert ranks as there are attention ranks receive everything, then forward what
        belongs to the other expert ranks; each hop is one dispatch.

        Parameters
        ----------
        tokens
            Token copies that one attention rank sends: its tokens times experts a token.
        attention_ranks, expert_ranks
            How many there are.
        """
        return self._trampoline_s("dispatch", tokens, attention_ranks, expert_ranks)

    def e2a_s(self, tokens: float, attention_ranks: int, expert_ranks: int) -> float:
        """Seconds of expert-to-attention: the same two hops back; parameters as in `a2e_s`."""
        return self._trampoline_s("combine", tokens, attention_ranks, expert_ranks)

    def _trampoline_s(self, name: str, tokens: float, attention: int, experts: int) -> float:
        if not tokens >= 0 or attention < 1 or experts < 1:
            raise ValueError(
                f"tokens = {tokens} >= 0, attention_ranks = {attention} >= 1 and expert_ranks = "
                f"{experts} >= 1 must all hold"
            )
        size = self.dispatch_bytes if name == "dispatch" else self.combine_bytes
        sent = tokens * size * max(1.0, attention / experts)  # fewer experts receive from several
        first = float(self._pull_s(name, 0.0, sent)) + self.setup_s(name, far=True)
        if experts <= attention:
            return first
        # Those for the expert ranks that got nothing in the first hop.
        forwarded = tokens * size * (experts - attention) / experts
        return first + float(self._pull_s(name, 0.0, forwarded)) + self.setup_s(name, far=True)

    def send_bytes_per_s(self) -> float:
        """Rate at which one rank writes weights to another: its own links, at write efficiency."""
        return self.fabric.port_bytes_per_s * self.fabric.figures.get("write_efficiency", 1.0)

    @property
    def _node_ranks(self) -> int:
        ranks = self.fabric.num_ranks
        return int(min(self.fabric.figures.get("dies_per_node", ranks), ranks))

    @property
    def _even_shares(self) -> tuple[float, float]:
        """Parts of what a rank receives that it pulls within its node, and from afar."""
        ranks, node = self.fabric.num_ranks, self._node_ranks
        return self._crossing((node - 1) / ranks, (ranks - node) / ranks)

    def _crossing(self, near: Any, far: Any) -> tuple[Any, Any]:
        """Return what crosses within nodes and between them, of copies from near and from far.

        Where a token goes to a rank once, its copies are fewer: of ``top_k`` experts chosen evenly
        over n ranks (nodes), n · (1 − (1 − 1/n)^top_k) different ones are reached. It crosses to
        a node once, and is forwarded within the node like the tokens from there.
        """
        if self.library is None or not self.library.one_copy_a_rank:
            return near, far
        chosen, ranks = self.model.top_k, self.fabric.num_ranks
        nodes = ranks / self._node_ranks
        once, once_a_node = (n * (1 - (1 - 1 / n) ** chosen) / chosen for n in (ranks, nodes))
        return (near + far) * once, far * once_a_node

    def _pull_s(self, name: str, near: ArrayLike, far: ArrayLike, mean: ArrayLike = 0.0) -> Array:
        """Seconds to pull so many bytes from the own node and from others.

        ``mean`` are the bytes of all copies of a rank's tokens, which it has to issue.
        """
        if self.library is None:
            return np.zeros(np.shape(near))
        rates = getattr(self.library, name)
        near_s = np.asarray(near) / self._within_bytes_per_s(self.library, rates)
        far_s = np.asarray(far) / rates["between_bytes_per_s"]
        seconds: Array = near_s + far_s if self.library.ports_share else np.maximum(near_s, far_s)
        if "block_token_s" in rates:
            blocks = np.ceil(self.model.experts / rates["block_experts"])
            size = self.dispatch_bytes if name == "dispatch" else self.combine_bytes
            tokens = np.asarray(mean) / (size * self.model.top_k)
            seconds = np.maximum(seconds, tokens * (rates["block_token_s"] / blocks))
        return seconds

    def _within_bytes_per_s(self, library: Library, rates: Mapping[str, float]) -> float:
        """Rate at which a rank pulls from its node: of its links, or of its communicating cores."""
        core = rates.get("core_bytes_per_s", float("inf"))
        if self.fabric.num_ranks > self._node_ranks:
            core = rates.get("core_between_bytes_per_s", core)
        return min(rates["within_bytes_per_s"], library.cores * core)

    def _slower(self, pulled: Array, rank_bytes: Array, *, inbound: bool) -> Array:
        # Bytes that cross once are not those of the copies: their links are in the library's rates.
        once = self.library is not None and self.library.one_copy_a_rank
        if not self.contention or once:
            return pulled
        # a library's setup was measured with the latency of the links in it
        alone = self.library is None
        links = self.fabric.even_exchange(rank_bytes, inbound=inbound, latency=alone)
        return np.maximum(pulled, links)

    def _with_setup(self, name: str, seconds: Array, mean: Array) -> Array:
        """Add the setup where ``mean``, the bytes of a rank, is not 0."""
        return np.where(mean > 0, seconds + self.setup_s(name), 0.0)

    def setup_s(self, name: str, far: bool = False) -> float:
        """Seconds of dispatch or combine before the first byte; 0 for a single rank.

        Parameters
        ----------
        name
            "dispatch" or "combine".
        far
            Whether ranks are on several nodes, even if the fabric has one.
        """
        if self.library is None or (self.fabric.num_ranks == 1 and not far):
            return 0.0
        figures = getattr(self.library, name)
        size = self.dispatch_bytes if name == "dispatch" else self.combine_bytes
        seconds = figures["setup_s"]
        seconds += self.model.top_k * size / figures.get("token_bytes_per_s", float("inf"))
        if far or self.fabric.num_ranks > self._node_ranks:
            seconds += figures.get("setup_between_s", 0.0)
        return float(seconds)
