"""What runs in a program's own process: load the file, answer problems, know nothing else."""

import contextlib
import importlib
import importlib.abc
import json
import math
import os
import signal
import sys
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

import lb
from evaluation.candidates.sandbox import wire
from evaluation.candidates.sandbox.limits import Limits

#: Packages that hold traces or judge them.
CLOSED = ("traces", "schedulers", "hardware")


#: Seconds after which a program ends itself that its parent should have ended.
GRACE_S = 5


class _Closed(importlib.abc.MetaPathFinder):
    """Refuses to import what a solver has no business with."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name.split(".")[0] in CLOSED:
            raise ImportError(f"a program in the sandbox may import lb, and not {name}")


def main() -> None:
    """Serve one program until its parent closes the pipe."""
    asked = json.loads(sys.argv[1])
    limits = Limits(**asked["limits"])
    _bound(limits)
    for pipe in (asked["requests"], asked["answers"]):
        os.set_inheritable(pipe, False)
    answers = asked["answers"]
    sys.meta_path.insert(0, _Closed())
    sys.argv = [asked["path"]]
    try:
        entry, dialect, tensors = _load(Path(asked["path"]), asked["name"], asked["seed"])
        ready = json.dumps(_about(entry, dialect)).encode()
    except BaseException as error:
        _send(answers, wire.FAILURE, 0, wire.pack_words(_said(error)))
        return
    _send(answers, wire.READY, 0, ready)
    with os.fdopen(asked["requests"], "rb", buffering=0, closefd=False) as requests:
        while (raw := _exactly(requests, wire.HEADER.size)) is not None:
            frame = wire.parse_header(raw)
            payload = _exactly(requests, frame.length)
            if payload is None:
                return
            # should our parent be killed meanwhile, nobody else would end a program that hangs
            signal.alarm(math.ceil(limits.call_s) + GRACE_S)
            try:
                table, order = _answer(entry, dialect, tensors, payload)
                kind, reply = wire.ANSWER, wire.pack_table(table, order)
            except lb.Infeasible as error:
                kind, reply = wire.INFEASIBLE, wire.pack_words(str(error))
            except BaseException as error:
                kind, reply = wire.FAILURE, wire.pack_words(_said(error))
            signal.alarm(0)
            _send(answers, kind, frame.call, reply)


def _answer(entry: Any, dialect: str, tensors: bool, payload: bytearray) -> Any:
    from evaluation.candidates.sandbox.calling_conventions import slot_table

    arguments, loaded = wire.unpack_problem(payload)
    if dialect == "problem" and loaded is not None:
        arguments["current"] = lb.Placement(loaded, arguments["num_ranks"])
    elif dialect != "problem":
        arguments |= {"max_moves": None, "move_price": None}
    problem = lb.Problem(**arguments)
    table, order = slot_table(entry, dialect, problem, loaded, tensors)
    wanted = (problem.num_layers, problem.num_slots)
    if table.shape != wanted:
        raise lb.Infeasible(f"the answer has shape {table.shape}; give {wanted}, [layers, slots]")
    return table, order


def _load(path: Path, name: str, seed: int) -> tuple[Any, str, bool]:
    """Return the entry, how it is asked, and whether by torch tensors."""
    from evaluation.candidates.sandbox import entry_point as entries

    sys.dont_write_bytecode = True
    module = entries.module_of(path)
    found = getattr(module, name, None)
    entry = entries.made(found, seed) if found is not None else None
    dialect = entries.dialect_of(name, entry)
    tensors = dialect == "eplb" and entries.imports(path, "torch")
    if tensors:
        importlib.import_module("torch")
    if dialect != "eplb":
        lb.Placement(np.array([[0, 1]]), 1)  # compiled before the clock of a call runs
    return entry, dialect, tensors


def _about(entry: Any, dialect: str) -> dict[str, Any]:
    fields = asdict(entry) if is_dataclass(entry) and not isinstance(entry, type) else {}
    return {
        "dialect": dialect,
        "honours": sorted(map(str, getattr(entry, "honours", ()))),
        "forecasts": bool(getattr(entry, "forecasts", False)),
        "parameters": json.loads(json.dumps(fields, default=repr)),
    }


def _bound(limits: Limits) -> None:
    """Set the limits that the system keeps; the rest is the parent's."""
    import resource

    seconds = int(limits.start_s + limits.total_s) + 5
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, int(limits.memory_bytes)),
        (resource.RLIMIT_FSIZE, int(limits.file_bytes)),
        (resource.RLIMIT_CPU, seconds),
    ):
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS knows no limit of data
            resource.setrlimit(what, (bound, bound))


def _said(error: BaseException) -> str:
    """Return an error in words; what its own ``__str__`` does is no concern of ours."""
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:
        return f"{type(error).__name__}"


def _exactly(pipe: Any, size: int) -> bytearray | None:
    """Return so many bytes; None if the pipe ends before."""
    found = bytearray(size)
    view, at = memoryview(found), 0
    while at < size:
        got = pipe.readinto(view[at:])
        if not got:
            return None
        at += got
    return found


def _send(pipe: int, kind: int, call: int, payload: bytes) -> None:
    rest = memoryview(wire.header(kind, call, len(payload)) + payload)
    while rest:
        rest = rest[os.write(pipe, rest) :]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    main()
