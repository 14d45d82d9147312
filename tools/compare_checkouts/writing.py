"""Run the cases in a checkout and keep what they write."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

from cases import INPUTS, LONG, Step, every

#: In the folder that is written: the cases there, and how long each took.
MANIFEST = "cases.json"
#: In the folder of a case: exit code and error line of every step.
OUTCOMES = "outcomes.json"
ROOMS = ("lb", "traces", "hardware", "schedulers", "evaluation")
LIMIT_S = 1200


def environment(checkout: Path) -> dict[str, str]:
    """Return the environment of a step: the checkout is imported first, tables are wide."""
    fixed = {"PYTHONPATH": str(checkout), "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    return {**os.environ, **fixed, "LC_ALL": "C.UTF-8"}


def ensure_imported(python: str, checkout: Path) -> None:
    """Raise ValueError unless every package is imported from ``checkout``."""
    program = "".join(f"import {room}; print({room}.__file__); " for room in ROOMS)
    done = subprocess.run(
        [python, "-c", program],
        cwd=checkout,
        env=environment(checkout),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"{python} cannot import podlab in {checkout}: {error_line(done.stderr)}")
    for line in done.stdout.splitlines():
        if not Path(line).resolve().is_relative_to(checkout):
            raise ValueError(f"{python} imports {line}, which is not in {checkout}")


def error_line(text: str) -> str:
    """Return the first line of standard error, the last of a traceback, all lines after a usage."""
    lines = [line for line in text.splitlines() if line.strip()] or [""]
    if lines[0].startswith("Usage:"):
        return " ".join(lines)
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]


def write_case(name: str, steps: Sequence[Step], out: Path, checkout: Path, python: str) -> float:
    """Run one case into its own folder and return its seconds."""
    here, inputs = out / name, out / "inputs"
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    places = {str(here): "HERE", str(inputs): "INPUTS", str(checkout): "CHECKOUT"}

    def masked(text: str) -> str:
        for path, word in places.items():
            text = text.replace(path, word)
        return text

    started, outcomes = time.monotonic(), {}
    for file, words in steps:
        filled = [word.format(here=here, inputs=inputs) for word in words]
        program = filled and filled[0].endswith(".py")
        try:
            done = subprocess.run(
                [python, *([] if program else ["-m", "evaluation"]), *filled],
                cwd=checkout,
                env=environment(checkout),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
                check=False,
            )
            code, said, text = done.returncode, error_line(done.stderr), done.stdout
        except subprocess.TimeoutExpired:
            code, said, text = -1, f"took longer than {LIMIT_S} s", ""
        outcomes[file] = {"exit": code, "error": masked(said)}
        (here / file).write_text(masked(text), encoding="utf-8")
    (here / OUTCOMES).write_text(json.dumps(outcomes, indent=1), encoding="utf-8")
    return time.monotonic() - started


def chosen(only: Sequence[str]) -> Mapping[str, Sequence[Step]]:
    """Return the cases whose names match one of ``only``, or all but the long ones."""
    cases = every()
    for pattern in only:
        if not any(fnmatch(name, pattern) for name in cases):
            raise ValueError(f"no case {pattern!r}; there are {', '.join(cases)}")
    return {
        name: steps
        for name, steps in cases.items()
        if (any(fnmatch(name, one) for one in only) if only else name not in LONG)
    }


def write(out: Path, checkout: Path, python: str | None, only: Sequence[str], jobs: int) -> None:
    """Run the chosen cases of ``checkout`` into ``out``, several at a time."""
    out, checkout = out.resolve(), checkout.resolve()
    cases = chosen(only)
    if not (checkout / "evaluation").is_dir():
        raise ValueError(f"{checkout} is no checkout of podlab: it has no folder evaluation")
    own = checkout / ".venv" / "bin" / "python"
    python = python or (str(own) if own.exists() else sys.executable)
    ensure_imported(python, checkout)
    manifest = out / MANIFEST
    if out.exists() and any(out.iterdir()) and not manifest.exists():
        raise ValueError(f"{out} holds other files: give a new folder")
    (out / "inputs").mkdir(parents=True, exist_ok=True)
    for name, text in INPUTS.items():
        (out / "inputs" / name).write_text(text, encoding="utf-8")
    seconds = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}

    lock = threading.Lock()

    def run(name: str) -> None:
        seconds[name] = round(write_case(name, cases[name], out, checkout, python), 1)
        with lock:
            manifest.write_text(json.dumps(seconds, indent=1, sort_keys=True), encoding="utf-8")
        print(f"{name}: {seconds[name]} s", flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(run, cases))
