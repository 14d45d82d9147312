"""Kernel timings: what files may hold, and what a small sweep finds on the CPU."""

import math
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hardware.measure import (
    COLUMNS,
    SIZES_OF,
    Measured,
    Sweep,
    device_figures,
    launch,
    measure,
    read_rows,
    run,
    timing,
    write_rows,
)
from hardware.measure.point import Point, points
from hardware.measure.torch_device import TorchDevice, find_device

TINY = Sweep(
    tokens=(1, 256),
    weights=((256, 512),),
    groups=(2,),
    group_tokens=(1, 64),
    group_weights=((128, 64),),
    batches=(2,),
    decode_tokens=(64,),
    decode_heads=(4,),
    prefill_tokens=(32, 256),
    prefill_heads=(2,),
    memory_bytes=(2**20, 2**25),
    latent_width=96,
    latent_v_width=64,
    head_width=32,
    repeats=3,
    warmup=1,
)


def row(**changes: Any) -> dict[str, Any]:
    """Return a good row with some of its values changed."""
    sizes = {"m": 16, "k": 64, "n": 32}
    return dict.fromkeys(COLUMNS, 0) | {
        "operator": "gemm",
        "format": "bf16",
        "latency_us": 12.25,
        **sizes,
        **changes,
    }


ROWS = [
    row(),
    row(operator="grouped_gemm", groups=4, latency_us=1e-3),
    row(operator="memory", m=0, k=0, n=2**33, format="fp32", latency_us=1 / 3),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that is not there yet, in a folder that is not there either."""
    return tmp_path / "new" / "rows.csv"


@pytest.fixture(scope="module")
def torch() -> Any:
    """Import torch, or skip."""
    return pytest.importorskip("torch", reason="timing kernels needs torch: pip install torch")


@pytest.fixture(scope="module")
def measured(torch: Any) -> Measured:
    """Time the tiny sweep on the CPU."""
    return measure("cpu", TINY)


def test_rows_come_back_as_they_were_written(path: Path) -> None:
    """Exactly, latencies included, and no temporary file stays."""
    write_rows(ROWS, path)
    assert read_rows(path) == ROWS
    assert list(path.parent.iterdir()) == [path]
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)


def test_columns_may_stand_in_any_order_beside_others(path: Path) -> None:
    """A spreadsheet adds a mark at the front and columns of its own."""
    path.parent.mkdir()
    names = ["remark", *reversed(COLUMNS)]
    cells = [str(({"remark": "cold"} | ROWS[0])[name]) for name in names]
    path.write_text(f"{','.join(names)}\r\n{','.join(cells)}\r\n", encoding="utf-8-sig")
    assert read_rows(path) == ROWS[:1]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("latency_us", "0", r"0\.0 is not > 0"),
        ("latency_us", "-3", "'-3' is not a number >= 0"),
        ("latency_us", "nan", "'nan' is not a number"),
        ("latency_us", "inf", "'inf' is not a number"),
        ("latency_us", "fast", "'fast' is not a number"),
        ("k", "64.5", "'64.5' is not an integer"),
        ("k", "", "0 is not > 0; gemm needs it"),
        ("k", "0", "0 is not > 0; gemm needs it"),
        ("k", "-64", "'-64' is not a number >= 0"),
        ("heads", "8", "8; gemm has none"),
        ("heads", "-8", "'-8' is not a number >= 0"),
        ("operator", "gem", "'gem' is unknown; give one of gemm, grouped_gemm"),
        ("format", "bf61", "'bf61' is unknown; give one of fp32"),
    ],
)
def test_a_bad_cell_is_named_by_file_line_and_column(
    path: Path, column: str, value: str, message: str
) -> None:
    """The second of two rows is line 3."""
    path.parent.mkdir()
    cells = [[str(found[name]) for name in COLUMNS] for found in (row(), row(**{column: value}))]
    path.write_text("\n".join(",".join(line) for line in ([*COLUMNS], *cells)) + "\n")
    with pytest.raises(ValueError, match=rf"rows.csv: line 3, column '{column}': {message}"):
        read_rows(path)


def test_a_line_cut_short_is_refused(path: Path) -> None:
    """The columns it lacks are not taken for 0."""
    write_rows(ROWS, path)
    path.write_text(path.read_text()[:-4].rpartition(",")[0] + "\n")
    with pytest.raises(ValueError, match=r"line 4, column 'latency_us': 0\.0 is not > 0"):
        read_rows(path)


def test_files_without_rows_are_refused(path: Path) -> None:
    """Absent, empty, without a column, without a row, and no text at all."""
    with pytest.raises(ValueError, match=r"rows.csv: not a readable CSV file .*No such file"):
        read_rows(path)
    path.parent.mkdir()
    path.write_text("")
    with pytest.raises(ValueError, match=r"rows.csv: line 1 lacks column 'operator'"):
        read_rows(path)
    path.write_text(",".join(COLUMNS[:-1]) + "\n")
    with pytest.raises(ValueError, match="line 1 lacks column 'latency_us'"):
        read_rows(path)
    path.write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(ValueError, match="there are 0 rows, and 1 is needed"):
        read_rows(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not a readable CSV file"):
        read_rows(path)


def test_a_failed_write_leaves_the_old_file(path: Path) -> None:
    """Bad rows are found before anything is opened."""
    write_rows(ROWS, path)
    with pytest.raises(ValueError, match="row 2, column 'latency_us'"):
        write_rows([row(), row(latency_us=0.0)], path)
    with pytest.raises(ValueError, match="there are 0 rows to write"):
        write_rows([], path)
    assert read_rows(path) == ROWS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": (1, 0)}, "tokens has 0, which is no integer >= 1"),
        ({"tokens": [1]}, r"tokens = \[1\] is no tuple"),
        ({"groups": (2.5,)}, "groups has 2.5"),
        ({"weights": (64, 64)}, "weights has 64, which is no pair"),
        ({"group_weights": ((64, 0),)}, "group_weights has 0"),
        ({"latent_v_width": 97}, "latent_v_width = 97 > latent_width = 96"),
        ({"memory_bytes": (4, 7)}, "memory_bytes has 7, which is odd"),
        ({"repeats": 0}, "repeats has 0"),
        ({"warmup": -1}, "warmup = -1 is no integer >= 0"),
        ({"budget_s": 0.0}, "budget_s = 0.0 is not > 0"),
        ({"budget_s": math.nan}, "budget_s = nan is not > 0"),
    ],
)
def test_an_impossible_sweep_is_refused(changes: dict[str, Any], message: str) -> None:
    """The field is named."""
    with pytest.raises(ValueError, match=message):
        replace(TINY, **changes)


def test_bundled_sweeps_time_every_operator() -> None:
    """The full one is the larger."""
    quick, full = (list(points(s, "bf16", ())) for s in (Sweep.quick(), Sweep.full()))
    assert {point.operator for point in quick} == set(SIZES_OF)
    assert {point.operator for point in full} == set(SIZES_OF)
    assert len(quick) < len(full)


def test_the_cost_of_a_point_is_that_of_its_kernel() -> None:
    """FLOPs and bytes by hand: 2 sequences of 3 tokens, 4 heads, 5 elements of which 2 values."""
    decode = Point("attention_decode", "bf16", heads=4, width=5, v_width=2, batch=2, kv_tokens=3)
    assert decode.flops == 2 * (2 * 3 * 4 * 5 + 2 * 3 * 4 * 2)
    assert decode.operand_bytes == 2 * (2 * 4 * 5 + 2 * 3 * 5)
    assert decode.result_bytes == 2 * (2 * (2 * 4 * 3) + 2 * 4 * 2)
    grouped = Point("grouped_gemm", "fp32", m=2, k=3, n=5, groups=7)
    assert (grouped.flops, grouped.operand_bytes) == (7 * 2 * 30, 7 * 4 * (6 + 15))
    integers = Point("gemm", "int8", m=2, k=3, n=5)
    assert (integers.operand_bytes, integers.result_bytes) == (21, 40)


def test_without_torch_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and writing rows works all the same."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="pip install torch"):
        measure("cpu", TINY)


@pytest.mark.parametrize("kind", ["cuda", "npu"])
def test_accelerators_are_waited_for_and_asked(kind: str) -> None:
    """By index, and after torch gave its own cache back."""
    said: list[Any] = []
    backend = SimpleNamespace(
        synchronize=said.append,
        empty_cache=lambda: said.append("empty"),
        mem_get_info=lambda device: (7, 9),
        get_device_name=lambda device: "Die",
        get_device_properties=lambda device: SimpleNamespace(total_memory=9),
    )
    device = SimpleNamespace(type=kind, index=1)
    bench = TorchDevice(SimpleNamespace(**{kind: backend}), device)
    bench.synchronize()
    assert (bench.free_bytes(), said) == (7, [device, "empty"])
    assert bench.figures() == {"name": "Die", "type": kind, "memory_bytes": 9}


def test_unified_memory_is_waited_for_and_asked() -> None:
    """torch.mps has calls of its own, without a device."""
    backend = SimpleNamespace(
        synchronize=lambda: None,
        empty_cache=lambda: None,
        recommended_max_memory=lambda: 9,
        driver_allocated_memory=lambda: 2,
    )
    bench = TorchDevice(SimpleNamespace(mps=backend), SimpleNamespace(type="mps"))
    bench.synchronize()
    assert (bench.free_bytes(), bench.figures()["memory_bytes"]) == (7, 9)


@pytest.mark.parametrize("device", ["gpu", "cpu:1", "cuda:x", "cuda:-1", "auto:1", "", None])
def test_an_unknown_device_is_refused(torch: Any, device: Any) -> None:
    """With those that can be given."""
    with pytest.raises(ValueError, match=r"is unknown; give 'auto', 'cuda'"):
        measure(device, TINY)


def test_an_absent_device_is_refused(torch: Any) -> None:
    """With those that are there."""
    with pytest.raises(ValueError, match=r"device = 'cuda:99' is not on this machine.*cpu"):
        measure("cuda:99", TINY)


def test_every_point_of_a_sweep_has_a_row(measured: Measured, path: Path) -> None:
    """Nothing is skipped, and the rows are such as a file may hold."""
    assert measured.skipped == []
    main = {row["format"] for row in measured.rows if row["operator"] != "gemm"}
    assert len(main) == 1
    assert main <= {"bf16", "fp32"}
    more = tuple({row["format"] for row in measured.rows} - main)
    expected = {str(point) for point in points(TINY, *main, more)}
    found = [{name: row[name] for name in COLUMNS[:-1]} for row in measured.rows]
    assert {str(Point(**point)) for point in found} == expected
    write_rows(measured.rows, path)
    assert read_rows(path) == measured.rows


def test_the_device_is_described(torch: Any, measured: Measured) -> None:
    """By name, memory and the torch that ran."""
    figures = device_figures("cpu")
    assert figures["type"] == "cpu"
    assert (measured.device_name, measured.memory_bytes) == (
        figures["name"],
        figures["memory_bytes"],
    )
    assert measured.device_name
    assert measured.memory_bytes > 2**28
    assert measured.torch_version == torch.__version__


def test_rows_are_told_as_they_come(torch: Any) -> None:
    """In the order of the result."""
    told: list[dict[str, Any]] = []
    sweep = replace(TINY, tokens=(), groups=(), batches=(), prefill_tokens=())
    assert measure("cpu", sweep, told.append).rows == told
    assert [row["n"] for row in told] == [2**20, 2**25]


def test_points_beyond_the_budget_are_skipped(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, where finding the formats has used it up."""
    # which formats are fast differs between machines, and between runs on a busy one
    monkeypatch.setattr(run, "timed_formats", lambda device: ("bf16", ("int8",)))
    measured = measure("cpu", replace(TINY, budget_s=1e-6))
    assert measured.rows == []
    assert len(measured.skipped) >= 11
    assert all("the rest of budget_s = 1e-06; raise it" in text for text in measured.skipped)


def test_the_dear_points_are_skipped_first(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A point is judged by the pace of smaller ones, before any of its memory is taken."""
    monkeypatch.setattr(run, "timed_formats", lambda device: ("fp32", ()))
    dear = (2**14, 2**14)
    sweep = replace(TINY, weights=(*TINY.weights, dear), tokens=(64, 2**14), budget_s=2.0)
    measured = measure("cpu", sweep)
    assert any("m=16384 k=16384 n=16384: needs " in text for text in measured.skipped)
    assert len(measured.rows) + len(measured.skipped) == 11
    assert {row["operator"] for row in measured.rows} == set(SIZES_OF)


def test_points_beyond_a_quarter_of_the_memory_are_skipped(
    torch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """32 MiB need 128 MiB free; copies of the operands stay below the same line."""
    monkeypatch.setattr(TorchDevice, "free_bytes", lambda device: 2**27 - 4)
    sweep = replace(TINY, tokens=(), groups=(), batches=(), prefill_tokens=())
    made: list[int] = []
    prepare = launch.prepare

    def watched(device: Any, point: Any, copies: int) -> Any:
        if point.operator == "memory":
            made.append(copies * point.operand_bytes)
        return prepare(device, point, copies)

    monkeypatch.setattr(timing, "prepare", watched)
    measured = measure("cpu", sweep)
    assert [row["n"] for row in measured.rows] == [2**20]
    assert "memory" in measured.skipped[0]
    assert "needs 33554432 bytes > 33554431, a quarter of the free memory" in measured.skipped[0]
    assert made == [31 * 2**20]


def test_what_torch_refuses_is_skipped_with_its_words(
    torch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As integer products of few rows are on some devices."""

    def refuse(device: Any, point: Any) -> Any:
        raise RuntimeError("self.size(0) needs to be greater than 16\nat Blas.cpp:1")

    monkeypatch.setitem(launch.OPERATORS, "memory", refuse)
    measured = measure("cpu", replace(TINY, tokens=(), groups=(), batches=(), prefill_tokens=()))
    assert measured.rows == []
    assert measured.skipped[0].endswith(
        "torch refuses it: self.size(0) needs to be greater than 16"
    )


def test_kernels_compute_what_they_are_called(torch: Any) -> None:
    """Decode against torch's own attention, with keys and values of one shared head."""
    device = find_device("cpu")
    point = Point("attention_decode", "fp32", heads=4, width=24, v_width=16, batch=2, kv_tokens=8)
    kernel, (query, cache) = launch.attention_decode(device, point)
    keys = cache[:, None].expand(2, 4, 8, 24)
    expected = torch.nn.functional.scaled_dot_product_attention(
        query[:, :, None] * math.sqrt(24), keys, keys[..., :16]
    )
    torch.testing.assert_close(kernel(query, cache), expected[:, :, 0])
    kernel, operands = launch.gemm(device, Point("gemm", "int8", m=32, k=64, n=16))
    exact = operands[0].int() @ operands[1].int()
    torch.testing.assert_close(kernel(*operands), exact)


def test_random_fp8_has_no_nan(torch: Any) -> None:
    """Its bit patterns are drawn as integers."""
    values = launch.random_tensor(find_device("cpu"), "fp8", 4096).float()
    assert bool(torch.isfinite(values).all())
    assert float(values.max()) == 448


def test_torchs_own_random_state_is_left_alone(torch: Any) -> None:
    """Operands are drawn from a generator of their own, the same each time."""
    before = torch.get_rng_state()
    device = find_device("cpu")
    values, again = (launch.random_tensor(device, "bf16", 8) for _ in range(2))
    assert torch.equal(values, again)
    assert torch.equal(torch.get_rng_state(), before)
