"""Measure how fast and in how much memory files become traces: ``python tools/measure_import.py``.

Writes a file of every format of the field that podlab reads without torch, imports it in a process
of its own, and prints rows (a token in a layer, or a count) and numbers (choices, or counts) read
a second, and that process's peak memory. ``--mib`` sets about how long each file is; two values
show that memory does not grow with it. Times are the least of ``--repeats`` imports, the store's
file included.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from traces.exchange import import_trace  # noqa: E402
from traces.formats.about import About  # noqa: E402
from traces.formats.safetensors_file import wrap  # noqa: E402

LAYERS, EXPERTS, TOP_K = 8, 64, 6  # FLAME-MoE-290M


def tokens(count: int, seed: int = 0) -> np.ndarray:
    """Return [tokens, layers, choices] without repeats, uint8."""
    generator = np.random.default_rng(seed)
    pool = np.argsort(generator.random((4096, EXPERTS)), axis=1)[:, :TOP_K].astype(np.uint8)
    return pool[generator.integers(4096, size=(count, LAYERS))]


def counts(steps: int) -> np.ndarray:
    """Return [steps, layers, experts], int32, lognormal."""
    generator = np.random.default_rng(0)
    return (60 * generator.lognormal(size=(steps, LAYERS, EXPERTS))).astype(np.int32)


def _lists(ids: np.ndarray) -> Any:
    import pyarrow as pa

    ends = pa.array(np.arange(0, ids.size + 1, TOP_K, dtype=np.int32))
    return pa.ListArray.from_arrays(ends, pa.array(ids.ravel()))


def flame_moe(folder: Path, size: int) -> Path:
    """Write a file a layer, the probabilities beside the ids; sizes are of the ids in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = size // (2 * LAYERS * TOP_K)
    for layer in range(LAYERS):
        path = folder / f"layer_{layer + 2:02}.parquet"
        kinds = {"scores": pa.list_(pa.float16()), "indices": pa.list_(pa.int16())}
        with pq.ParquetWriter(path, pa.schema(kinds)) as writer:
            for start in range(0, whole, 2**20):
                ids = tokens(min(2**20, whole - start), layer)[:, 0].astype(np.int16)
                scores = np.sort(ids.astype(np.float16) / 64, axis=1)[:, ::-1]
                writer.write_table(pa.table({"scores": _lists(scores), "indices": _lists(ids)}))
    return folder


def wide_parquet(folder: Path, size: int) -> Path:
    """Write a column a layer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "a.parquet"
    names = [f"layer_{layer}" for layer in range(LAYERS)]
    whole = size // (2 * LAYERS * TOP_K)
    with pq.ParquetWriter(path, pa.schema([(n, pa.list_(pa.int16())) for n in names])) as writer:
        for start in range(0, whole, 2**18):
            ids = tokens(min(2**18, whole - start)).astype(np.int16)
            columns = [_lists(np.ascontiguousarray(ids[:, layer])) for layer in range(LAYERS)]
            writer.write_table(pa.table(dict(zip(names, columns, strict=True))))
    return path


def long_parquet(folder: Path, size: int) -> Path:
    """Write a row for each token and layer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "a.parquet"
    kinds = {"token": pa.int64(), "layer": pa.int64(), "experts": pa.list_(pa.int16())}
    whole = size // (2 * LAYERS * TOP_K)
    with pq.ParquetWriter(path, pa.schema(kinds)) as writer:
        for start in range(0, whole, 2**17):
            ids = tokens(min(2**17, whole - start)).astype(np.int16)
            token = np.repeat(np.arange(start, start + len(ids)), LAYERS)
            layer = np.tile(np.arange(LAYERS), len(ids))
            columns = {"token": token, "layer": layer, "experts": _lists(ids)}
            writer.write_table(pa.table(columns))
    return path


def _npy(path: Path, shape: tuple[int, ...], dtype: str, block: np.ndarray) -> Path:
    with path.open("wb") as file:
        header = {"descr": dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, shape[0], len(block)):
            file.write(block[: shape[0] - start].astype(dtype).data)
    return path


def routed(folder: Path, size: int) -> Path:
    """Write requests of 4,096 tokens, an ``.npy`` each."""
    ids = tokens(4096)
    for number in range(max(1, size // ids.nbytes)):
        np.save(folder / f"{number:06}.npy", ids)
    return folder


def competition(folder: Path, size: int) -> Path:
    """Write int32 counts."""
    block = counts(4096)
    steps = max(1, size // block[0].nbytes)
    return _npy(folder / "a.npy", (steps, LAYERS, EXPERTS), "<i4", block)


def npz(folder: Path, size: int) -> Path:
    """Write deflated counts."""
    np.savez_compressed(folder / "a.npz", counts=counts(max(1, size // (4 * LAYERS * EXPERTS))))
    return folder / "a.npz"


def rows_csv(folder: Path, size: int) -> Path:
    """Write a row for each step, layer and expert, about 13 bytes each."""
    path = folder / "a.csv"
    block = counts(256)
    with path.open("wb") as file:
        file.write(b"step,layer,expert,count\n")
        for start in range(0, max(1, size // (13 * LAYERS * EXPERTS)), len(block)):
            step, layer, expert = np.unravel_index(np.arange(block.size), block.shape)
            table = np.stack([step + start, layer, expert, block.ravel()], axis=1)
            np.savetxt(file, table, "%d", ",")
    return path


def adrs(folder: Path, size: int) -> Path:
    """Write records of counts, about 4.3 bytes each."""
    path = folder / "expert-load.json"
    texts = [json.dumps({"logical_expert_load": load.tolist()}) for load in counts(512)]
    with path.open("w") as file:
        file.write('{"load_history": [')
        total = max(1, size // len(texts[0]))
        file.write(", ".join(texts[number % len(texts)] for number in range(total)) + "]}")
    return path


def counts_json(folder: Path, size: int) -> Path:
    """Write steps of counts under SGLang's key, about 4.3 bytes each."""
    path = folder / "counts.json"
    texts = [json.dumps(step.tolist()) for step in counts(512)]
    with path.open("w") as file:
        file.write('{"logical_count": [')
        total = max(1, size // len(texts[0]))
        file.write(", ".join(texts[number % len(texts)] for number in range(total)) + "]}")
    return path


def selection(folder: Path, size: int) -> Path:
    """Write queries of 128 tokens of prompt and 64 decoded ones."""
    ids = tokens(192).tolist()
    passes = [{str(n): [token[n] for token in ids[:128]] for n in range(LAYERS)}]
    passes += [{str(n): [token[n]] for n in range(LAYERS)} for token in ids[128:]]
    text = json.dumps(passes)
    for number in range(max(1, size // len(text))):
        (folder / f"{number:06}.json").write_text(text)
    return folder


def tensorrt_llm(folder: Path, size: int) -> Path:
    """Write eight ranks' counts in the shape of DeepSeek-V3."""
    meta = {"num_experts": 256, "num_experts_per_token": 8}
    (folder / "meta_info.json").write_text(json.dumps(meta))
    load = counts(58 * 4).reshape(58, 4 * LAYERS * EXPERTS)[:, :256].astype(np.int64)
    iterations = max(1, size // (8 * load.nbytes))
    arrays = {f"{t}_{n}": load[n] for t in range(iterations) for n in range(58)}
    content = wrap(arrays)
    for rank in range(8):
        (folder / f"rank{rank}.safetensors").write_bytes(content)
    return folder


def tensorrt_llm_raw(folder: Path, size: int) -> Path:
    """Write four ranks' choices, 1,024 tokens an iteration and rank."""
    meta = {"num_experts": EXPERTS, "num_experts_per_token": TOP_K}
    (folder / "meta_info.json").write_text(json.dumps(meta))
    ids = tokens(1024).astype(np.int32)
    layers = [np.ascontiguousarray(ids[:, n]) for n in range(LAYERS)]
    iterations = max(1, size // (4 * ids.nbytes))
    arrays = {f"{t}_{n}": layers[n] for t in range(iterations) for n in range(LAYERS)}
    for rank in range(4):
        (folder / f"rank{rank}_raw.safetensors").write_bytes(wrap(arrays))
    return folder


#: Line to format, and what writes its file.
CASES: dict[str, tuple[str, Callable[[Path, int], Path]]] = {
    "flame-moe": ("flame-moe", flame_moe),
    "parquet, a column a layer": ("parquet", wide_parquet),
    "parquet, a row a token and layer": ("parquet", long_parquet),
    "vllm-routed, .npy a request": ("vllm-routed", routed),
    "tensorrt-llm, raw": ("tensorrt-llm", tensorrt_llm_raw),
    "selection-json": ("selection-json", selection),
    "competition": ("competition", competition),
    "matrix, .npz": ("matrix", npz),
    "matrix, rows of .csv": ("matrix", rows_csv),
    "tensorrt-llm": ("tensorrt-llm", tensorrt_llm),
    "adrs": ("adrs", adrs),
    "counts-json": ("counts-json", counts_json),
}


def child(form: str, source: str, target: str, repeats: int) -> None:
    """Import a file and print what it took, as JSON."""
    about = About(top_k=TOP_K, experts=EXPERTS)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        stored = import_trace(source, target, form, about)
        times.append(time.perf_counter() - started)
    rows, per_row = stored.num_rows * stored.num_layers, stored.top_k
    if stored.kind == "routing":
        rows, per_row = rows * stored.num_experts, 1
    found = {"seconds": min(times), "rows": rows, "numbers": rows * per_row, "mib": peak_mib()}
    print(json.dumps(found))


def peak_mib() -> float:
    """Return the peak memory of this process.

    getrusage counts what the parent had when it started this process, too; Linux knows better.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(line: str, mib: float, repeats: int = 3) -> dict[str, float]:
    """Return what importing a file of about ``mib`` takes."""
    form, write = CASES[line]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "in"
        folder.mkdir()
        source = write(folder, int(mib * 2**20))
        size = sum(file.stat().st_size for file in folder.iterdir()) / 2**20
        command = [sys.executable, __file__, "--repeats", str(repeats)]
        command += ["--child", form, str(source), f"{name}/out.parquet"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {**json.loads(done.stdout), "size": size}


def main() -> None:
    """Print a line for each case and size."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mib", type=float, nargs="+", default=[64.0])
    options.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--child", nargs=3, metavar=("FORMAT", "SOURCE", "TARGET"))
    chosen = options.parse_args()
    if chosen.child:
        child(*chosen.child, chosen.repeats)
        return
    print("| file | MiB on disk | Mrows/s | Mnumbers/s | MiB/s | peak MiB |")
    print("|---|---|---|---|---|---|")
    for line in chosen.only:
        for mib in chosen.mib:
            found = measured(line, mib, chosen.repeats)
            speeds = [found[key] / found["seconds"] / 1e6 for key in ("rows", "numbers")]
            print(
                f"| {line} | {found['size']:.0f} | {speeds[0]:.1f} | {speeds[1]:.1f} | "
                f"{found['size'] / found['seconds']:.0f} | {found['mib']:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
