"""An explanation as plain data: what the tables show, and what ``--json`` writes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.analysis.attribution import PHASES, Attribution
from evaluation.analysis.explanation import Explanation
from evaluation.replay.judged_window import JudgedWindow
from evaluation.replay.scenario import Scenario
from evaluation.step.exchange import Exchange
from hardware import Fabric

#: Experts that are listed of the slowest rank.
EXPERTS_OF_A_RANK = 3


def report(
    explanation: Explanation, fabric: Fabric, before: str, after: str, top: int
) -> dict[str, Any]:
    """Return the explanation as numbers and lists, the largest ``top`` of each kind.

    Parameters
    ----------
    explanation
        The explanation.
    fabric
        The fabric that the steps were priced on; its links are named.
    before, after
        Names of the placements.
    top
        Largest number of layers, of ranks, of experts, and of links in each all-to-all.
    """
    experts = explanation.expert_s.shape[1]
    return {
        "before": before,
        "after": after,
        "steps": len(explanation.before.step_s),
        "engine_steps": float(explanation.before.weight.sum()),
        "moe_layers": explanation.before.placement.num_layers,
        "step_s": _step(explanation),
        "phases_s": _phases(explanation),
        "layers": [_layer(explanation, layer) for layer in _largest(explanation.layer_s, top)],
        "ranks": [_rank(explanation, rank) for rank in _largest(explanation.rank_s, top)],
        "experts": [
            _expert(explanation, *divmod(position, experts))
            for position in _largest(explanation.expert_s.ravel(), top)
        ],
        "links": {
            "dispatch": {
                "before": _links(explanation.before.dispatch, fabric, top),
                "after": _links(explanation.after.dispatch, fabric, top),
            },
            "combine": {
                "before": _links(explanation.before.combine, fabric, top),
                "after": _links(explanation.after.combine, fabric, top),
            },
        },
        "migration": {
            "experts": int(explanation.moves.sum()),
            "bytes": explanation.moved_bytes,
            "seconds": explanation.migration_s,
            "break_even_steps": explanation.break_even_steps,
        },
    }


def window(judged: JudgedWindow, scenario: Scenario) -> dict[str, Any]:
    """Return what an explanation was made on.

    Returns
    -------
    dict
        ``number`` of the window; ``seen``, number of the windows before it that solvers see;
        ``change``, the first window after a change of the mixture, or None; ``load_change`` of
        :class:`evaluation.replay.judged_window.JudgedWindow`.
    """
    return {
        "number": judged.number,
        "seen": len(judged.history),
        "change": scenario.change_window,
        "load_change": judged.load_change,
    }


def _step(explanation: Explanation) -> dict[str, Any]:
    return {
        "before": explanation.before.total_s,
        "after": explanation.after.total_s,
        "difference": explanation.difference_s,
        "change": explanation.change,
        "faster_steps": explanation.faster_steps,
    }


def _phases(explanation: Explanation) -> dict[str, dict[str, float]]:
    return {
        phase: {
            "before": float(explanation.before.phase_s[:, number].sum()),
            "after": float(explanation.after.phase_s[:, number].sum()),
            "difference": float(explanation.phase_s[:, number].sum()),
        }
        for number, phase in enumerate(PHASES)
    }


def _largest(difference: NDArray[np.float64], top: int) -> list[int]:
    """Return the positions of the largest absolute differences, without those that are 0."""
    order = np.argsort(-np.abs(difference), kind="stable")[:top]
    return [int(position) for position in order if difference[position] != 0]


def _layer(explanation: Explanation, layer: int) -> dict[str, Any]:
    phases = dict(zip(PHASES, explanation.phase_s[layer].tolist(), strict=True))
    return {
        "layer": layer,
        "difference_s": float(explanation.layer_s[layer]),
        "phases_s": phases,
        "before": _slowest_rank(explanation.before, layer),
        "after": _slowest_rank(explanation.after, layer),
    }


def _slowest_rank(side: Attribution, layer: int) -> dict[str, Any]:
    """Return the rank that a layer waits for most, and the heaviest experts on it."""
    placement, rank = side.placement, int(side.slowest_rank[layer])
    width = placement.slots_per_rank
    slots = slice(rank * width, (rank + 1) * width)
    tokens = np.bincount(
        placement.physical_to_logical[layer, slots],
        weights=side.slot_tokens[layer, slots],
        minlength=placement.num_experts,
    )
    total = float(tokens.sum())
    heaviest = np.argsort(-tokens, kind="stable")[:EXPERTS_OF_A_RANK].tolist()
    return {
        "rank": rank,
        "waited_s": float(side.rank_s[layer, rank]),
        "tokens": total,
        "load_to_mean": side.slowest_rank_load(layer),
        "experts": [
            {
                "expert": expert,
                "tokens": float(tokens[expert]),
                "share": float(tokens[expert]) / total,
                "replicas": int(placement.replica_count[layer, expert]),
            }
            for expert in heaviest
            if tokens[expert] > 0
        ],
    }


def _rank(explanation: Explanation, rank: int) -> dict[str, Any]:
    return {
        "rank": rank,
        "before_s": float(explanation.before.rank_s[:, rank].sum()),
        "after_s": float(explanation.after.rank_s[:, rank].sum()),
        "difference_s": float(explanation.rank_s[rank]),
        "tokens_before": float(explanation.before.rank_tokens[:, rank].sum()),
        "tokens_after": float(explanation.after.rank_tokens[:, rank].sum()),
        "receives": int(explanation.moves[:, rank].sum()),
    }


def _expert(explanation: Explanation, layer: int, expert: int) -> dict[str, Any]:
    before, after = explanation.before, explanation.after
    slots = before.placement.physical_to_logical[layer] == expert
    return {
        "layer": layer,
        "expert": expert,
        "tokens": float(before.slot_tokens[layer, slots].sum()),
        "replicas_before": int(before.placement.replica_count[layer, expert]),
        "replicas_after": int(after.placement.replica_count[layer, expert]),
        "before_s": float(before.expert_s[layer, expert]),
        "after_s": float(after.expert_s[layer, expert]),
        "difference_s": float(explanation.expert_s[layer, expert]),
        "marginal_s": float(explanation.marginal_cost_s[layer, expert]),
    }


def _links(exchange: Exchange, fabric: Fabric, top: int) -> dict[str, Any]:
    return {
        "links_decide": exchange.links_decide,
        "contention_s": exchange.contention_s,
        "busiest": [
            {
                "link": [str(end) for end in busy.link],
                "busy_s": busy.busy_s,
                "others_alike": busy.others,
            }
            for busy in exchange.busiest(fabric, top)
        ],
    }
