"""Recording a trace while a model runs: from router modules of torch, or from arrays.

Examples
--------
>>> import numpy as np, tempfile, traces
>>> with tempfile.TemporaryDirectory() as folder:
...     with Recorder(f"{folder}/toy.parquet", model="toy", experts=4, top_k=2) as recorder:
...         recorder.add(0, np.array([[0, 3], [1, 2]]))
...         recorder.end_step()
...     trace = traces.load(f"{folder}/toy.parquet")
>>> trace
TokenTrace(toy: 2 tokens, 1 layers, 4 experts, top-2, unknown)
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.header import check_header, checked_integer, checked_provenance
from traces.recorded_steps import RecordedSteps
from traces.router_output import Choice, choice, chosen_otherwise, is_tensor

#: What router modules are called: the last part of their name within the model.
ROUTERS = r"(.*\.)?(gate|router)"


class Recorder:
    """Write which experts each token chose, step by step, in bounded memory.

    Use it as a context manager. The file appears under its name when the block ends without an
    error. Only the tokens of the step under way, and a few thousand before it, are in memory.

    Parameters
    ----------
    path
        The store file to write; an existing one is replaced.
    model, phase, provenance
        As in :class:`traces.TokenTrace`.
    experts, top_k
        Logical experts of a layer, and how many of them a token chooses.
    layers
        MoE layers; by default as many as are attached, or as the first step has.
    counts
        Write how many tokens chose each expert instead of which ones did: a smaller file.
    keep
        When the block ends with an error, write the steps that were finished. Without it, nothing
        is left behind.

    Raises
    ------
    ValueError
        If ``model``, ``phase``, ``top_k`` or ``layers`` is out of its range. From
        :meth:`end_step`: naming the layers, if some saw no tokens or others than the rest; or
        from the trace, if an id is out of range or repeated.
    """

    def __init__(
        self,
        path: str | Path,
        model: str,
        experts: int,
        top_k: int,
        layers: int | None = None,
        phase: str = "unknown",
        provenance: Mapping[str, str] | None = None,
        *,
        counts: bool = False,
        keep: bool = False,
    ) -> None:
        check_header(model, top_k, checked_integer(experts, "experts"), phase)
        if layers is not None and checked_integer(layers, "layers") < 1:
            raise ValueError(f"layers = {layers} < 1; give the model's MoE layers")
        self.experts, self.top_k, self.layers = experts, top_k, layers
        known = dict(checked_provenance(provenance))
        self._steps = RecordedSteps(path, experts, model, phase, known, counts)
        self._keep = keep
        self._names: dict[int, str] = {}
        self._step: dict[int, list[Choice]] = {}
        self._handles: list[Any] = []
        self._state = "closed"
        self._listening, self._by_model = True, False

    @property
    def steps(self) -> int:
        """Steps finished so far."""
        return self._steps.finished

    def add(self, layer: int, topk_ids: Any) -> None:
        """Add the choices of the next tokens of this step in one layer.

        Parameters
        ----------
        layer
            Number of the MoE layer, from 0.
        topk_ids
            [tokens, top_k] expert ids: an array, or a tensor on any device.
        """
        self._add(layer, Choice(topk_ids.detach().clone() if is_tensor(topk_ids) else topk_ids))

    def hook(
        self, module: Any, layer: int | None = None, select: Callable[[Any], Any] | None = None
    ) -> None:
        """Record what a router module of torch chooses whenever it is called.

        Parameters
        ----------
        module
            The router. What of its output is read is said in :func:`traces.router_output.choice`.
        layer
            Number of its MoE layer; by default one more than the last one hooked.
        select
            From the module's output to ids [tokens, top_k], or to (ids, weights) in either order.
        """
        number = max(self._names, default=-1) + 1 if layer is None else layer
        self._names.setdefault(number, type(module).__name__)

        def listen(module: Any, _inputs: Any, output: Any) -> None:
            if not self._listening:
                return
            reason = chosen_otherwise(module, output, select)
            if reason:
                raise ValueError(f"layer {self._called(number)}: {reason}")
            if select is not None:
                output = select(output)
            try:
                self._add(number, choice(output, self.experts, self.top_k))
            except ValueError as error:
                raise ValueError(f"layer {self._called(number)}: {error}") from None

        self._handles.append(module.register_forward_hook(listen))

    def attach(
        self,
        model: Any,
        match: str | Callable[[str, Any], bool] = ROUTERS,
        select: Callable[[Any], Any] | None = None,
        *,
        steps: bool = True,
    ) -> list[str]:
        """Record all routers of a model, in the order of its modules.

        Parameters
        ----------
        model
            A torch module.
        match
            Which of its modules are routers: a regular expression that the whole name matches, or a
            function of name and module. By default those called ``gate`` or ``router``.
        select
            As in :meth:`hook`, for all of them.
        steps
            Whether each call of the model is a step. What its routers do outside of one, as when
            activations are computed a second time for gradients, is then not recorded. Otherwise
            call :meth:`end_step`.

        Returns
        -------
        list of str
            The names of the routers, one a layer.

        Raises
        ------
        ValueError
            If there are none.
        """
        wanted = match if callable(match) else _matches(match)
        routers = [(name, one) for name, one in model.named_modules() if wanted(name, one)]
        if not routers:
            raise ValueError(
                f"no module of {type(model).__name__} matches {match!r}; give match=, a regular "
                "expression of router names, such as r'.*\\.mlp\\.gate'"
            )
        for name, router in routers:
            self._names[max(self._names, default=-1) + 1] = name
            self.hook(router, max(self._names), select)
        if steps:
            self._listening, self._by_model = False, True
            self._handles.append(model.register_forward_pre_hook(lambda *_: self._begin()))
            self._handles.append(model.register_forward_hook(lambda *_: self._end()))
        return [name for name, _ in routers]

    def end_step(self, tokens: Any = None) -> None:
        """Close the step.

        Parameters
        ----------
        tokens
            [tokens] true where a token counts: leaves padding out. All do by default.
        """
        chosen = self._of_step()
        if tokens is not None:
            mask = tokens.cpu().numpy() if is_tensor(tokens) else np.asarray(tokens)
            mask = mask.ravel().astype(bool)
            if len(mask) != len(chosen):
                raise ValueError(
                    f"step {self.steps}: tokens has {len(mask)} entries for {len(chosen)} tokens; "
                    "give one a token"
                )
            chosen = chosen[mask]
        self._steps.add(chosen)

    def _add(self, layer: int, chosen: Choice) -> None:
        if self._state != "open":
            raise ValueError("the recorder is closed; record inside its with block")
        if checked_integer(layer, "layer") < 0 or (self.layers or layer + 1) <= layer:
            raise ValueError(f"layer = {layer} breaks 0 <= layer < {self.layers or 'layers'}")
        self._step.setdefault(layer, []).append(chosen)

    def _begin(self) -> None:
        self._step, self._listening = {}, True

    def _end(self) -> None:
        self._listening = False
        self.end_step()

    def _of_step(self) -> NDArray[Any]:
        """[tokens, layers, top_k] of the step under way, which is then empty."""
        step, self._step = self._step, {}
        known = self.layers or max([*step, *self._names], default=0) + 1
        missing = [layer for layer in range(known) if layer not in step]
        if missing:
            names = ", ".join(self._called(layer) for layer in missing)
            raise ValueError(
                f"step {self.steps}: no tokens from layer {names}; every step runs all {known} "
                "layers, or attach only those that run"
            )
        self.layers = known
        found = [self._read(layer, step[layer]) for layer in range(known)]
        lengths = [len(ids) for ids in found]
        if min(lengths) != max(lengths):
            odd = next(n for n, length in enumerate(lengths) if length != lengths[0])
            raise ValueError(
                f"step {self.steps}: layer {self._called(odd)} has {lengths[odd]} tokens, layer "
                f"{self._called(0)} has {lengths[0]}; all layers see the same tokens"
            )
        return np.stack(found, axis=1)

    def _read(self, layer: int, chosen: list[Choice]) -> NDArray[Any]:
        try:
            return np.concatenate([one.read(self.top_k) for one in chosen])
        except ValueError as error:
            raise ValueError(f"step {self.steps}: layer {self._called(layer)}: {error}") from None

    def _called(self, layer: int) -> str:
        return f"{layer} ({self._names[layer]})" if layer in self._names else str(layer)

    def __enter__(self) -> "Recorder":
        if self._state == "done":
            raise ValueError("the recorder has written its file; make another one")
        self._state = "open"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._state = "done"
        for handle in self._handles:
            handle.remove()
        problem = error
        if error is None and self._step and not self._by_model:
            problem = ValueError(f"step {self.steps} was not finished; call end_step() after each")
        kept = self._keep and self.steps > 0
        self._steps.close(None if kept else problem)
        if problem is not None and error is None:
            raise problem


def _matches(pattern: str) -> Callable[[str, Any], bool]:
    return lambda name, _module: re.fullmatch(pattern, name) is not None
