"""Measure what replaying from the store adds to replaying from memory.

``python tools/measure_replay.py``: log loads that drift, in the shapes of DeepSeek-V2-Lite
and DeepSeek-V3, replayed in windows of eight steps, of which solvers see eight, from memory and
from a store file. Seconds are of the processor, all threads together, the least of several turns,
the two kinds taken in turns.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import lb
import traces
from evaluation.replay.replay import replay
from evaluation.replay.scenario import Scenario
from traces.generated import ar1_counts

TURNS = 5

#: Line to preset, layers, experts, top-k, steps and slots of a rank.
SHAPES = {
    "DeepSeek-V2-Lite, 16 ranks": ("deepseek-v2-lite", 26, 64, 6, 4000, 5),
    "DeepSeek-V3, 32 ranks": ("deepseek-v3", 58, 256, 8, 800, 9),
}


def scenario(preset: str, ranks: int, slots: int) -> Scenario:
    """Return a scenario for a model; its trace is given apart."""
    return Scenario("replay", (), preset, ranks, slots, window_steps=8, history_windows=8)


def turns(
    trace: Any, stored: Any, executor: Any, deployment: Any, solver: str
) -> tuple[float, float]:
    """Return the least seconds from memory and from the store."""
    least = [float("inf")] * 2
    for _ in range(TURNS):
        for place, source in enumerate((trace, stored)):
            started = time.process_time()
            replay(source, executor, deployment, lb.make(solver))
            least[place] = min(least[place], time.process_time() - started)
    return least[0], least[1]


def main() -> None:
    """Print a line for each shape and solver."""
    print("| trace | solver | steps | memory, s | store, s | added | reading alone, s |")
    print("|---|---|---|---|---|---|---|")
    for line, (preset, layers, experts, top_k, steps, slots) in SHAPES.items():
        trace = ar1_counts(steps, layers, experts, 0.95, 1.0, 4096, 0, model=preset, top_k=top_k)
        ranks = int(line.split()[-2])
        chosen = scenario(preset, ranks, slots)
        executor = chosen.executor()
        with tempfile.TemporaryDirectory() as folder:
            traces.save(trace, Path(folder) / "a.parquet")
            stored = traces.open(Path(folder) / "a.parquet")
            started = time.process_time()
            for _ in stored.blocks():
                pass
            reading = time.process_time() - started
            for solver in sys.argv[1:] or ["contiguous", "eplb"]:
                memory, store = turns(trace, stored, executor, chosen.deployment(executor), solver)
                print(
                    f"| {line} | {solver} | {steps} | {memory:.2f} | {store:.2f} | "
                    f"{100 * (store / memory - 1):.1f} % | {reading:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
