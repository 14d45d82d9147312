"""Print the README's table: what each balancer gains in the hour of DeepSeek-R1-like traffic.

podlab bench --out RECORDS && python tools/hour_table.py RECORDS
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

from evaluation.kinds.own.gain import gain_of
from hardware import Model

#: Scenarios of the hour in the default suite, and the unit of their steps.
HOUR = {"r1-decode-ep32": "ms", "r1-decode-ep144": "ms", "r1-prefill-ep32": "s"}
UNITS = {"ms": 1e3, "s": 1.0}


def main() -> None:
    """Read the argument, and print a row for each balancer and split, best first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path, help="folder of records of the default suite")
    rows = defaultdict(list)
    for path in sorted(parser.parse_args().records.glob("*/*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["status"] == "ok" and record["scenario"]["id"] in HOUR:
            rows[record["solver"], record["dispatcher"]].append(record)
    print("| balancer | split | steady | after the change |", " | ".join(HOUR), "| slots |")
    print("|---|---|---|---|" + "---|" * len(HOUR) + "---|")
    for (solver, dispatcher), records in sorted(rows.items(), key=lambda row: -_steady(row[1])):
        changed = fmean(record["scores"]["shift_efficiency"] for record in records)
        slots = fmean(record["scores"]["slots_changed"] for record in records)
        steps = " | ".join(_step(records, scenario) for scenario in HOUR)
        print(
            f"| `{solver}` | {dispatcher} | {_steady(records):.3f} | {changed:.3f} | {steps} | "
            f"{100 * slots:.0f} % |"
        )


def _steady(records: list[dict[str, Any]]) -> float:
    """Return the efficiency of the windows before the change; the first window is not scored."""
    values = []
    for record in records:
        windows, end = record["windows"], record["scenario"]["change_window"] - 1
        taken = sum(windows["step_s"][:end]) + sum(windows["migration_s"][:end])
        values.append(sum(windows["ideal_s"][:end]) / taken)
    return fmean(values)


def _step(records: list[dict[str, Any]], scenario: str) -> str:
    """Return the time of a step of all MoE layers, and the part that is saved with its interval."""
    chosen = [record for record in records if record["scenario"]["id"] == scenario]
    layers = Model.preset(chosen[0]["scenario"]["model"]).moe_layers
    gain = gain_of(chosen, layers / len(chosen[0]["layers"]["balancedness_next"]))
    unit = HOUR[scenario]
    text = f"{UNITS[unit] * gain.step_s:.3g} {unit}"
    if gain.interval is None:
        return f"{text}, {100 * gain.saved:.1f} % less"
    half = 100 * (gain.interval[1] - gain.saved)
    return f"{text}, {100 * gain.saved:.1f} ± {half:.1f} % less"


if __name__ == "__main__":
    main()
