"""The child process of the sandbox: load a program and answer problems.

It gets frames on one pipe and answers on another one, see
:mod:`evaluation.candidates.sandbox.wire`. Nothing it sends is trusted.
"""

import contextlib
import importlib
import importlib.abc
import json
import math
import os
import signal
import sys
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.candidates.sandbox import wire
from evaluation.candidates.sandbox.limits import Limits

#: Packages that a program cannot import: they hold traces, or judge placements.
BLOCKED_PACKAGES = ("traces", "schedulers", "hardware")

#: Seconds after a call's limit after which the child ends itself, if its parent has not ended it.
GRACE_S = 5


class _ImportBlocker(importlib.abc.MetaPathFinder):
    """Raises ImportError for ``BLOCKED_PACKAGES``."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name.split(".")[0] in BLOCKED_PACKAGES:
            raise ImportError(f"a program in the sandbox may import lb, and not {name}")


def main() -> None:
    """Serve one program until its parent closes the pipe."""
    arguments = json.loads(sys.argv[1])
    limits = Limits(**arguments["limits"])
    # Before any code of the program runs: limits are set, its own children inherit no pipe, and
    # the blocked packages cannot be imported.
    _set_limits(limits)
    answers = arguments["answers"]
    for pipe in (arguments["requests"], answers):
        os.set_inheritable(pipe, False)
    sys.meta_path.insert(0, _ImportBlocker())
    sys.argv = [arguments["path"]]
    try:
        program = _load(Path(arguments["path"]), arguments["name"], arguments["seed"])
        ready = json.dumps(_description(program)).encode()
    except BaseException as error:
        _send(answers, wire.FAILURE, 0, wire.pack_text(_error_text(error)))
        return
    _send(answers, wire.READY, 0, ready)
    with os.fdopen(arguments["requests"], "rb", buffering=0, closefd=False) as requests:
        _serve(program, limits, requests, answers)


def _serve(program: "_Program", limits: Limits, requests: Any, answers: int) -> None:
    """Answer one problem after another until the parent closes the pipe."""
    while (raw := _read_exactly(requests, wire.HEADER.size)) is not None:
        frame = wire.parse_header(raw)
        payload = _read_exactly(requests, frame.length)
        if payload is None:
            return
        # If the parent is killed during a call, only this alarm ends a program that hangs.
        signal.alarm(math.ceil(limits.call_s) + GRACE_S)
        try:
            table, order = _answer(program, payload)
            kind, reply = wire.ANSWER, wire.pack_table(table, order)
        except lb.Infeasible as error:
            kind, reply = wire.INFEASIBLE, wire.pack_text(str(error))
        except BaseException as error:  # SystemExit and KeyboardInterrupt of the program, too
            kind, reply = wire.FAILURE, wire.pack_text(_error_text(error))
        signal.alarm(0)
        _send(answers, kind, frame.call, reply)


@dataclass(frozen=True)
class _Program:
    """A loaded entry, its calling convention, and whether it gets torch tensors."""

    entry: Any
    convention: str
    tensors: bool


def _answer(program: _Program, payload: bytearray) -> tuple[NDArray[np.int64], list[int]]:
    from evaluation.candidates.sandbox.calling_conventions import slot_table

    arguments, loaded = wire.unpack_problem(payload)
    if program.convention == "problem" and loaded is not None:
        arguments["current"] = lb.Placement(loaded, arguments["num_ranks"])
    elif program.convention != "problem":
        # lb.Problem accepts these two only with ``current``, which other conventions do not take.
        arguments |= {"max_moves": None, "move_price": None}
    problem = lb.Problem(**arguments)
    table, order = slot_table(program.entry, program.convention, problem, loaded, program.tensors)
    shape = (problem.num_layers, problem.num_slots)
    if table.shape != shape:
        raise lb.Infeasible(f"the answer has shape {table.shape}; give {shape}, [layers, slots]")
    return table, order


def _load(path: Path, name: str, seed: int) -> _Program:
    """Run the file and return its entry."""
    from evaluation.candidates.sandbox import entry_point as entries

    sys.dont_write_bytecode = True
    module = entries.load_module(path)
    attribute = getattr(module, name, None)
    entry = entries.instantiate(attribute, seed) if attribute is not None else None
    convention = entries.convention_of(name, entry)
    tensors = convention == "eplb" and entries.imports_package(path, "torch")
    if tensors:
        importlib.import_module("torch")
    if convention != "eplb":
        # Compile the kernels of lb.Placement now: a call has a time limit.
        lb.Placement(np.array([[0, 1]]), 1)
    return _Program(entry, convention, tensors)


def _description(program: _Program) -> dict[str, Any]:
    """Return what the parent learns of the program once it is loaded."""
    entry = program.entry
    fields = asdict(entry) if is_dataclass(entry) and not isinstance(entry, type) else {}
    return {
        "convention": program.convention,
        "honours": sorted(map(str, getattr(entry, "honours", ()))),
        "forecasts": bool(getattr(entry, "forecasts", False)),
        "parameters": json.loads(json.dumps(fields, default=repr)),
    }


def _set_limits(limits: Limits) -> None:
    """Set the limits that the operating system enforces; the parent enforces the others."""
    import resource

    seconds = int(limits.start_s + limits.total_s) + 5
    for resource_id, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, int(limits.memory_bytes)),
        (resource.RLIMIT_FSIZE, int(limits.file_bytes)),
        (resource.RLIMIT_CPU, seconds),
    ):
        _, hard = resource.getrlimit(resource_id)
        bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS has no RLIMIT_DATA
            resource.setrlimit(resource_id, (bound, bound))


def _error_text(error: BaseException) -> str:
    """Return type and text of an error; its own ``__str__`` may raise anything."""
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:
        return f"{type(error).__name__}"


def _read_exactly(pipe: Any, size: int) -> bytearray | None:
    """Return ``size`` bytes; None if the pipe ends before."""
    content = bytearray(size)
    view, done = memoryview(content), 0
    while done < size:
        count = pipe.readinto(view[done:])
        if not count:
            return None
        done += count
    return content


def _send(pipe: int, kind: int, call: int, payload: bytes) -> None:
    # A pipe may take a part of the bytes at a time.
    rest = memoryview(wire.header(kind, call, len(payload)) + payload)
    while rest:
        rest = rest[os.write(pipe, rest) :]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles an interrupt
    main()
