"""Bring published kernel measurements into podlab's table of kernels.

    python tools/make_tables.py FOLDER hardware/tables

FOLDER holds the CSV files of InferSim (H800) and aiconfigurator (H100) under the names
``infersim_*`` and ``aic_*``. Figures are carried over; nothing is fitted or smoothed here.
"""

import csv
import sys
from pathlib import Path
from typing import Any

COLUMNS = ["operator", "format", "m", "k", "n", "groups", "heads", "width", "v_width"]
COLUMNS += ["batch", "kv_tokens", "latency_us"]
H800_FP8 = 1979e12  # the peak that InferSim's `mfu` columns refer to
#: Left out: the first timing of its file, 241 µs where its neighbours take 25 µs.
WARM_UP = ("infersim_mha_decode_h800_32-2-128", "1", "1024")
Row = dict[str, Any]


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a CSV file with a header."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def gemm(source: Path) -> list[Row]:
    """Dense FP8 products."""
    return [
        {
            "operator": "gemm",
            "format": "fp8",
            **{key: row[key] for key in "mkn"},
            "latency_us": row["latency_us"],
        }
        for row in rows_of(source / "infersim_gemm_h800_data.csv")
    ]


def grouped(source: Path, phase: str) -> list[Row]:
    """Read grouped FP8 products; tokens of an expert follow from the utilisation stated.

    The routing of these runs was uniform within 30 %, so the nominal tokens per expert are not
    what was computed where a GPU holds few experts; the stated utilisation says what was.
    """
    found = []
    for row in rows_of(source / f"infersim_grouped_gemm_{phase}_h800_data.csv"):
        groups = int(row["num_local_experts"])
        for name, inner, columns in (("up", 7168, 4096), ("down", 2048, 7168)):
            latency, used = float(row[f"{name}_proj_us"]), float(row[f"{name}_mfu"])
            tokens = used * H800_FP8 * latency * 1e-6 / (2 * inner * columns * groups)
            shape = {"m": f"{tokens:.5g}", "k": inner, "n": columns, "groups": groups}
            found.append({"operator": "grouped_gemm", "format": "fp8", **shape})
            found[-1]["latency_us"] = f"{latency:g}"
    return found


def latent(source: Path) -> list[Row]:
    """Latent attention in decode (absorbed) and in prefill (causal, one sequence)."""
    decode = [
        {"operator": "attention_decode", "format": "bf16", "heads": 128, "width": 576}
        | {"v_width": 512, "batch": row["batch_size"], "kv_tokens": row["kv_len"]}
        | {"latency_us": row["latency_us"]}
        for row in rows_of(source / "infersim_mla_decode_h800_128-512-64.csv")
    ]
    prefill = [
        {"operator": "attention_prefill", "format": "bf16", "heads": 128, "width": 192}
        | {"v_width": 128, "batch": 1, "kv_tokens": row["seq_len"]}
        | {"latency_us": row["latency_us"]}
        for row in rows_of(source / "infersim_mla_prefill_h800_128-128-64.csv")
    ]
    return decode + prefill


def grouped_queries(source: Path) -> list[Row]:
    """Grouped-query attention in decode; ``groups`` are key-value heads."""
    found = []
    for path in sorted(source.glob("infersim_mha_decode_h800_*.csv")):
        heads, groups, width = (int(part) for part in path.stem.rsplit("_", 1)[1].split("-"))
        shape = {"heads": heads, "groups": groups, "width": width, "v_width": width}
        found += [
            {"operator": "attention_decode", "format": "bf16", **shape}
            | {"batch": row["batch_size"], "kv_tokens": row["kv_len"]}
            | {"latency_us": row["latency_us"]}
            for row in rows_of(path)
            if (path.stem, row["batch_size"], row["kv_len"]) != WARM_UP
        ]
    return found


def attention_modules(source: Path) -> list[Row]:
    """Whole latent-attention modules on H100, all projections included, FP8 cache."""
    found = []
    for row in rows_of(source / "aic_h100_sxm_sglang_mla_decode.csv"):
        if row["kernel_source"] == "flashinfer" and row["num_heads"] in ("64", "128"):
            sizes = {"heads": row["num_heads"], "batch": row["batch_size"]}
            length = int(row["isl"]) + int(row["step"])
            found.append({"operator": "attention_module", "format": "fp8", **sizes})
            found[-1] |= {"kv_tokens": length, "latency_us": f"{float(row['latency']) * 1e3:g}"}
    return found


def expert_modules(source: Path) -> list[Row]:
    """Whole expert modules on H100 under uniform routing: m tokens a rank, ``groups`` experts."""
    found = []
    for row in rows_of(source / "aic_h100_sxm_sglang_moe_decode.csv"):
        if row["distribution"] == "uniform":
            ranks = int(row["moe_ep_size"])
            shape = {"m": int(row["num_tokens"]) // ranks, "k": 7168, "n": 2048}
            found.append({"operator": "expert_module", "format": "fp8", **shape})
            found[-1]["groups"] = 256 // ranks
            found[-1]["latency_us"] = f"{float(row['latency']) * 1e3:g}"
    return found


def exchanges(source: Path) -> list[Row]:
    """DeepEP low-latency dispatch (8 bits) and combine (BF16) on H100: ``m`` tokens a rank.

    ``batch`` are ranks, ``groups`` experts chosen by a token, ``k`` the hidden size.
    """
    found = []
    for name in ("0.5.6.post2", "0.5.12"):
        for row in rows_of(source / f"aic_h100_sxm_deepep_ll_{name}.csv"):
            shape = {"m": row["num_token"], "k": row["hidden_size"], "groups": row["num_topk"]}
            shape |= {"batch": 8 * int(row["node_num"]), "heads": row["num_experts"]}
            for operator in ("dispatch", "combine"):
                found.append({"operator": operator, "format": name, **shape})
                found[-1]["latency_us"] = row[f"{operator}_avg_t_us"]
    return found


def write(rows: list[Row], path: Path) -> None:
    """Write rows, 0 where a column does not apply."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval=0, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    kernels = gemm(source) + grouped(source, "decode") + grouped(source, "prefill")
    write(kernels + latent(source), out / "h800-kernels.csv")
    write(grouped_queries(source), out / "h800-gqa.csv")
    write(attention_modules(source) + expert_modules(source), out / "h100-modules.csv")
    write(exchanges(source), out / "h100-deepep.csv")
