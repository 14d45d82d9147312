"""Dispatch, combine and point-to-point transfers on a fabric."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hardware.engine import Engine
from hardware.fabric import Fabric
from hardware.model import Model
from hardware.quantity import Array, quantity


@dataclass(frozen=True, eq=False)
class Collectives:
    """The two all-to-alls of a MoE layer, pulled by their receivers, and plain sends.

    After XCCL (arXiv:2508.02520, section 3): counts are broadcast, every rank waits for all of
    them, then pulls its copies out of its peers' memory. A collective therefore takes its setup
    and then the longer of two things: the busiest rank's pulling, at the rate its engine
    reaches, and the fabric's busiest link. Sources are taken to be independent of destinations:
    of each rank's copies, the part from a source is that source's part of all copies.

    Parameters
    ----------
    fabric
        The ranks and what joins them.
    model
        Gives the size of a token.
    engine
        Rates and message formats; by default those of the fabric's preset.

    Raises
    ------
    ValueError
        If neither the fabric nor the caller gives an engine.
    """

    fabric: Fabric
    model: Model
    engine: Engine | None = None

    def __post_init__(self) -> None:
        self._rates()

    @property
    def dispatch_bytes(self) -> float:
        """Bytes of one token copy on its way to an expert, scales included.

        On CloudMatrix384 at hidden size 7,168, the 7.5 KB of arXiv:2506.12708v2.
        """
        engine = self._rates()
        return self.model.hidden * engine.dispatch_bytes_per_element + engine.scale_bytes

    @property
    def combine_bytes(self) -> float:
        """Bytes of one token copy on its way back (14 KB at hidden size 7,168)."""
        return self.model.hidden * self._rates().combine_bytes_per_element

    def dispatch_s(self, received_tokens: ArrayLike, sent_tokens: ArrayLike | None = None) -> Array:
        """Price sending token copies to the ranks of their experts.

        Parameters
        ----------
        received_tokens
            [..., ranks] token copies the experts of each rank receive.
        sent_tokens
            [..., ranks] token copies each rank's own tokens make, tokens times ``top_k``; by
            default every rank sends the same.

        Returns
        -------
        ndarray
            [...] seconds, at least the setup, which even an empty exchange pays.

        Raises
        ------
        ValueError
            If a number is negative or not finite, a shape does not match the ranks, or as many
            copies are not received as are sent.
        """
        received, sent = self._copies(received_tokens, sent_tokens)
        engine = self._rates()
        rates = engine.dispatch_within_bytes_per_s, engine.dispatch_between_bytes_per_s
        return self._pull_s(sent, received, self.dispatch_bytes, rates)

    def combine_s(self, received_tokens: ArrayLike, sent_tokens: ArrayLike | None = None) -> Array:
        """Price bringing the experts' results back: dispatch with the roles exchanged.

        A rank pulls the results of its own tokens, so a hot rank delays everyone by what must
        leave it, not by what it pulls.

        Parameters
        ----------
        received_tokens, sent_tokens
            As in the dispatch that went before.

        Returns
        -------
        ndarray
            [...] seconds, at least the setup.

        Raises
        ------
        ValueError
            As :meth:`dispatch_s`.
        """
        received, sent = self._copies(received_tokens, sent_tokens)
        engine = self._rates()
        rates = engine.combine_within_bytes_per_s, engine.combine_between_bytes_per_s
        return self._pull_s(received, sent, self.combine_bytes, rates)

    def send_s(self, num_bytes: ArrayLike) -> Array:
        """Price one rank writing to another, alone on the fabric, as a migration does.

        Parameters
        ----------
        num_bytes
            [...] bytes of each transfer.

        Returns
        -------
        ndarray
            [...] seconds, 0 for no bytes.

        Raises
        ------
        ValueError
            If a number is negative or not finite.
        """
        sent, engine = quantity("num_bytes", num_bytes), self._rates()
        seconds: Array = sent / engine.write_bytes_per_s + engine.write_latency_s * (sent > 0)
        return seconds

    def _rates(self) -> Engine:
        engine = self.engine or self.fabric.engine
        if engine is None:
            raise ValueError(
                f"fabric {self.fabric.name!r} has no engine; give Collectives(..., engine=Engine(...)) "
                "or add a table [engine] to its preset"
            )
        return engine

    def _copies(self, received: ArrayLike, sent: ArrayLike | None) -> tuple[Array, Array]:
        ranks = self.fabric.num_ranks
        gets = quantity("received_tokens", received, (ranks,))
        total = gets.sum(axis=-1, keepdims=True)
        if sent is None:
            return gets, np.broadcast_to(total / ranks, gets.shape)
        gives = quantity("sent_tokens", sent, (ranks,))
        if gets.ndim != gives.ndim:
            gets, gives = np.broadcast_arrays(gets, gives)
            total = gets.sum(axis=-1, keepdims=True)
        given = gives.sum(axis=-1, keepdims=True)
        wrong = ~np.isclose(total, given, rtol=1e-6)
        if wrong.any():
            raise ValueError(
                f"{total[wrong][0]:g} token copies received, but {given[wrong][0]:g} sent; both "
                "count copies, so sent_tokens is tokens times top_k"
            )
        return gets, gives

    def _pull_s(
        self, source: Array, puller: Array, copy_bytes: float, rates: tuple[float, float]
    ) -> Array:
        """Seconds to pull copies that lie on ``source`` and are wanted by ``puller``."""
        total = puller.sum(axis=-1, keepdims=True)
        part = source / np.where(total > 0, total, 1.0)
        same_server = self.fabric.server[:, None] == self.fabric.server
        near = puller * (part @ same_server)
        within, between = rates
        pulling = (near / within + (puller - near) / between).max(axis=-1) * copy_bytes
        # Bytes that fill a link to the part of it that reads reach.
        link_bytes = copy_bytes / self._rates().read_efficiency
        if _even(source):
            contention = self.fabric.uniform_source_s(puller * link_bytes)
        elif _even(puller):
            contention = self.fabric.uniform_destination_s(source * link_bytes)
        else:
            pairs = part[..., :, None] * puller[..., None, :]
            contention = self.fabric.all_to_all(pairs * link_bytes)
        seconds: Array = self._rates().setup_s + np.maximum(pulling, contention)
        return seconds


def _even(tokens: Array) -> bool:
    return bool((tokens == tokens[..., :1]).all())
