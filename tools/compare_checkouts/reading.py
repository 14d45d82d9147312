"""Read a case as fields: a path and a value each. What is ignored is left out here."""

import csv
import hashlib
import html.parser
import io
import json
import re
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from writing import OUTCOMES

#: What is ignored in JSON, CSV and TOML: case, name of the field, reason.
IGNORED = (
    ("suite-*", "wall", "clock: seconds of solving and of the whole run, in records"),
    ("suite-*", "cost", "clock: solve time over sort time, in records"),
    ("suite-*", "cost_ratio", "clock: the same in standings"),
    ("suite-*", "solve_s", "clock: solve time in standings"),
    ("evaluate", "cost_ratio", "clock, in Scores of evaluation.evaluate"),
    ("compete", "call_ms", "clock"),
    ("evolve", "combined_score", "depends on a clock by speed_score"),
    ("evolve", "speed_score", "clock"),
    ("evolve", "times_algorithm", "clock"),
    ("*", "date", "clock"),
    ("*", "podlab", "provenance: version"),
    ("*", "commit", "provenance"),
    ("*", "source_hash", "provenance"),
    ("*", "host", "provenance"),
    ("*", "provenance", "provenance, in Scores of evaluation.evaluate"),
)
#: Fronts of the standings that depend on a clock; they are taken out of the lists "fronts".
CLOCK_FRONTS = ("quality-cost", "all")
#: What is masked in a line of text: files, expression, replacement, reason.
MASKED = (
    ("*", r"\s+", " ", "blanks: the width of a clock moves the columns"),
    ("*", r"[-─━]{3,}", "─", "rules, which are as wide as the columns"),
    ("*", r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*", "#", "dates"),
    ("*", r"\b(?=\d*[a-f])[0-9a-f]{12,64}\b", "#", "hashes of files, sources and commits"),
    ("simulate-*", r"simulated time in [\d.]+ s\b", "simulated time in # s", "clock"),
    ("solve/error", r" in [\d.]+ s\b", " in # s", "clock"),
    (
        "suite-*-table.txt",
        r"( [\d.,]+ ×| –)? [\d.,]+ ?$",
        " #",
        "clock: the last columns are cost ratio and solve ms, or forecast ms",
    ),
)
#: In names of record files that are values in JSON.
RECORD_HASH = r"--[0-9a-f]{12}\.json"
#: Files of a report are compared by their names alone: pages hold clocks, hashes and plots.
NAMES_ONLY = "*/site/*"
Fields = dict[str, Any]


class Visible(html.parser.HTMLParser):
    """The visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = 0
        self.lines: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Stop at scripts and styles."""
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        """Go on after them."""
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        """Keep what is shown."""
        if not self.hidden and data.strip():
            self.lines.append(data)


def flat(value: Any, case: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of nested data, without those in IGNORED."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            if any(fnmatch(case, cases) and fnmatch(key, name) for cases, name, _ in IGNORED):
                continue
            if key == "fronts" and isinstance(inner, list):
                inner = [front for front in inner if front not in CLOCK_FRONTS]
            yield from flat(inner, case, f"{path}.{key}")
    elif isinstance(value, list) and value:
        yield f"{path}.length", len(value)
        for place, inner in enumerate(value):
            yield from flat(inner, case, f"{path}[{place}]")
    elif isinstance(value, str):
        yield path, re.sub(RECORD_HASH, "--#.json", value)
    else:
        yield path, value


def about(record: dict[str, Any]) -> str:
    """Return what a record is about: this matches records whatever their files are called."""
    scenario = record.get("scenario")
    if isinstance(scenario, dict):
        scenario = scenario.get("id")
    candidate = record.get("solver") or record.get("forecaster")
    parts = [record.get("suite"), scenario, record.get("stage"), candidate]
    parts += [record.get("dispatcher"), record.get("seed")]
    if record.get("parameters"):
        parts.append(json.dumps(record["parameters"], sort_keys=True))
    return " ".join(str(part) for part in parts if part is not None)


def masked(text: str, file: str) -> list[str]:
    """Return the lines of a text with its clocks and hashes replaced, without empty ones."""
    lines = []
    for line in text.splitlines():
        for files, expression, replacement, _ in MASKED:
            if fnmatch(file, files):
                line = re.sub(expression, replacement, line.rstrip())
        if line.strip():
            lines.append(line.strip())
    return lines


def data_of(path: Path) -> Any:
    """Return the data in a file whose suffix says that it holds data, or None."""
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    if path.suffix == ".toml":
        return tomllib.loads(path.read_text(encoding="utf-8"))
    if path.suffix == ".csv":
        with io.StringIO(path.read_text(encoding="utf-8")) as file:
            return list(csv.DictReader(file))
    if path.suffix == ".npy":
        return np.load(path).tolist()
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {name: arrays[name].tolist() for name in sorted(arrays.files)}
    return None


def of_file(path: Path, case: str, file: str) -> Fields | list[str]:
    """Return the fields of a file, or its lines where it is a text."""
    if fnmatch(f"{case}/{file}", NAMES_ONLY):
        return {"": "there"}
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = sorted("\n".join(masked(name, "")) for name in archive.namelist())
        return dict(flat({"names": names}, case))
    try:
        data = data_of(path)
    except ValueError:  # an empty or broken file: its text says more
        data = None
    if data is not None:
        return dict(flat(data, case))
    if path.suffix in (".parquet", ".npy", ".npz"):
        return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        page = Visible()
        page.feed(text)
        text = "\n".join(page.lines)
    return masked(text, f"{case}/{file}")


def of_records(paths: Iterable[Path], case: str) -> dict[str, Fields | list[str]]:
    """Return the fields of records by what these are about."""
    found: dict[str, Fields | list[str]] = {}
    for path in sorted(paths):
        record = json.loads(path.read_text(encoding="utf-8"))
        name = f"records {about(record)}"
        while name in found:
            name += " again"
        found[name] = dict(flat(record, case))
    return found


def of_case(folder: Path) -> dict[str, Fields | list[str]]:
    """Return everything in the folder of a case, by file or by what a record is about."""
    case, records, found = folder.name, folder / "records", {}
    for path in sorted(folder.rglob("*")):
        file = str(path.relative_to(folder))
        if not path.is_file() or records in path.parents:
            continue
        if file == OUTCOMES:
            for step, outcome in json.loads(path.read_text(encoding="utf-8")).items():
                outcome["error"] = " ".join(masked(outcome["error"], f"{case}/error"))
                found[f"outcome of {step}"] = dict(flat(outcome, case))
        else:
            name = " ".join(masked(file, ""))
            found[name] = of_file(path, case, file)
    return found | of_records(records.rglob("*.json"), case)
