"""A scenario of a suite of kind "fit": one load matrix, and the slots to place it on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.kinds.fit.matrices import LAWS, matrix
from evaluation.replay.scenario_keys import name_or_names
from hardware import Model, preset

#: Check of each key of a scenario; ``law`` may be a list, which gives a scenario for each law.
CHECKS: dict[str, preset.Check] = {
    "id": preset.text,
    "model": preset.text,
    "law": name_or_names,
    "num_ranks": preset.count_from_one,
    "slots_per_rank": preset.count_from_one,
    "skew": preset.not_negative,
    "tokens": preset.positive,
    "layers": preset.count_from_one,
    "dispatcher": preset.text,
    "anytime": preset.truth,
}
OPTIONAL = frozenset({"skew", "tokens", "layers", "dispatcher", "anytime"})


@dataclass(frozen=True)
class FitScenario:
    """Loads of a law in the shape of a model, to be placed as well as possible.

    Parameters
    ----------
    id
        Name, unique in its suite.
    model
        Preset whose MoE layers and experts the matrix has.
    law, skew, tokens
        As in :func:`evaluation.kinds.fit.matrices.matrix`. The law is also the family of the
        scenario.
    num_ranks, slots_per_rank
        Ranks, and slots of a layer on each.
    layers
        Number of layers, fewer than the model's; ``None``: all of them.
    dispatcher
        Registered dispatcher that splits tokens over replicas.
    anytime
        Whether solvers also run with other budgets, for their anytime curves.
    """

    id: str
    model: str
    law: str
    num_ranks: int
    slots_per_rank: int
    skew: float = 1.0
    tokens: float = 65_536.0
    layers: int | None = None
    dispatcher: str = "even"
    anytime: bool = False

    is_drawn = True

    @property
    def family(self) -> str:
        """The law."""
        return self.law

    def load(self, seed: int) -> NDArray[np.float64]:
        """Return the matrix of a seed, [layers, experts]."""
        model = Model.preset(self.model)
        layers = self.layers or model.moe_layers
        return matrix(self.law, self.skew, layers, model.experts, self.tokens, seed)

    def problem(self, seed: int) -> lb.Problem:
        """Return the problem that a solver gets."""
        load = self.load(seed)
        return lb.Problem(load, self.num_ranks, self.slots_per_rank, dispatcher=self.dispatcher)

    def check(self) -> None:
        """Raise ValueError, naming the scenario, if a name is unknown or a size is impossible."""
        try:
            if self.law not in LAWS:
                raise ValueError(f"law = {self.law!r} is not one of {', '.join(LAWS)}")
            model = Model.preset(self.model)
            lb.make_dispatcher(self.dispatcher)
            lb.Problem(np.zeros((1, model.experts)), self.num_ranks, self.slots_per_rank)
        except (ValueError, FileNotFoundError) as error:
            raise ValueError(f"scenario {self.id!r}: {error}") from None


def scenarios(where: str, table: dict[str, Any]) -> list[FitScenario]:
    """Return the scenario of a table, or one for each of its laws, the law in its id.

    Raises
    ------
    ValueError
        Naming ``where``, if a key is unknown or missing, or its value is not allowed.
    """
    values = preset.checked(where, table, CHECKS, OPTIONAL)
    law = values.pop("law")
    if isinstance(law, str):
        return [FitScenario(law=law, **values)]
    if len(set(law)) < len(law):
        raise ValueError(f"{where}: law = {law} names one twice")
    name = values.pop("id")
    return [FitScenario(id=f"{name}-{each}", law=each, **values) for each in law]
