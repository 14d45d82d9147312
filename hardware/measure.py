"""Timings of a MoE layer's kernels on a device of your own, as rows that a fit can read.

Every call starts from operands that earlier calls have pushed out of the caches: a serving step
reads each weight once, so its weights come from memory. Launches by torch are part of a latency;
on an accelerator, rows of a few microseconds show the launch and not the kernel. On a CPU
the results and scratch memory of a call come fresh from the system, and their first touch counts.

torch is imported where it is needed, and by nothing else in this package.
"""

import importlib
import itertools
import math
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from hardware.table import COLUMNS, SIZES_OF, read_rows, write_rows

__all__ = ["COLUMNS", "SIZES_OF", "Measured", "Sweep", "device_figures", "measure"]
__all__ += ["read_rows", "write_rows"]

ELEMENT_BYTES = {"bf16": 2, "fp32": 4, "int8": 1, "fp8": 1}
RESULT_BYTES = {"bf16": 2, "fp32": 4, "int8": 4, "fp8": 2}  # integer products are summed in int32

SAMPLE_S = 0.003  # a sample repeats its call for this long: far above the clock and the waiting
COLD_BYTES = 256 * 2**20  # operands that calls take in turn: five times the L2 cache of an H100
MAX_COPIES = 64  # smaller operands than COLD_BYTES / 64 cost a launch, wherever they lie
FLOPS_PER_BYTE = 100  # puts points in order of their cost; CPUs have about 10, GPUs about 300
WORTH = 1.25  # a format counts if its product takes at most this much of the time in fp32

DEVICE = r"auto|mps|cpu|(cuda|npu)(:[0-9]+)?"

# How torch says that a device cannot do something, by device and version
REFUSALS = (RuntimeError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True)
class Sweep:
    """The points that are timed: every combination of the sizes of an operator.

    An empty tuple leaves its operator out. The cheap points of all operators come first, so that
    the budget cuts the dear ones off.

    Parameters
    ----------
    tokens, weights
        Dense products: rows m, and shapes (k, n) of the weights.
    groups, group_tokens, group_weights
        Grouped products: experts, tokens m of each of them, and shapes (k, n) of their weights.
    batches, decode_tokens, decode_heads
        Latent attention in decode: sequences, tokens of context of each, and query heads.
    latent_width, latent_v_width
        Elements of a cached token, and how many of them are its values (DeepSeek-V3: 576, 512).
    prefill_tokens, prefill_heads, head_width
        Causal attention over one sequence: its tokens, heads, and elements of a head.
    memory_bytes
        Bytes moved by a copy, read and written together; even numbers.
    repeats, warmup
        Samples of a point, of which the median counts, and calls before them.
    budget_s
        Seconds for the whole sweep; points that would overrun it are skipped.

    Raises
    ------
    ValueError
        If a size is no integer >= 1, a width or the budget is impossible, or bytes are odd.
    """

    tokens: tuple[int, ...]
    weights: tuple[tuple[int, int], ...]
    groups: tuple[int, ...]
    group_tokens: tuple[int, ...]
    group_weights: tuple[tuple[int, int], ...]
    batches: tuple[int, ...]
    decode_tokens: tuple[int, ...]
    decode_heads: tuple[int, ...]
    prefill_tokens: tuple[int, ...]
    prefill_heads: tuple[int, ...]
    memory_bytes: tuple[int, ...]
    latent_width: int = 576
    latent_v_width: int = 512
    head_width: int = 128
    repeats: int = 5
    warmup: int = 2
    budget_s: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name not in ("warmup", "budget_s"):
                _check_sizes(field.name, getattr(self, field.name))
        if not _is_integer(self.warmup) or self.warmup < 0:
            raise ValueError(f"warmup = {self.warmup!r} is no integer >= 0; give one")
        if not (math.isfinite(self.budget_s) and self.budget_s > 0):
            raise ValueError(f"budget_s = {self.budget_s!r} is not > 0 and finite; give seconds")
        if self.latent_v_width > self.latent_width:
            raise ValueError(
                f"latent_v_width = {self.latent_v_width} > latent_width = {self.latent_width}; "
                "values are part of the cached token"
            )
        odd = [size for size in self.memory_bytes if size % 2]
        if odd:
            raise ValueError(f"memory_bytes has {odd[0]}, which is odd; half is read, half written")

    @classmethod
    def quick(cls) -> "Sweep":
        """Return a sweep of about 20 seconds on 2 CPU cores."""
        return cls(
            tokens=(1, 16, 128, 512),
            weights=((2048, 2048), (4096, 2048)),
            groups=(8,),
            group_tokens=(1, 16, 64),
            group_weights=((2048, 1024),),
            batches=(1, 8),
            decode_tokens=(1024, 4096),
            decode_heads=(16, 128),
            prefill_tokens=(512, 1024, 2048),
            prefill_heads=(16,),
            memory_bytes=tuple(2**power * 2**20 for power in (4, 6, 8)),
            budget_s=20.0,
        )

    @classmethod
    def full(cls) -> "Sweep":
        """Return a sweep with the shapes of DeepSeek-V3, for an accelerator: at most 10 minutes."""
        return cls(
            tokens=(1, 4, 16, 32, 64, 128, 256, 512, 1024, 4096, 8192),
            weights=((7168, 2112), (16384, 7168), (7168, 4096), (2048, 7168)),
            groups=(1, 4, 16, 32),
            group_tokens=(1, 4, 16, 64, 256, 1024),
            group_weights=((7168, 4096), (2048, 7168)),
            batches=(1, 4, 16, 64, 128),
            decode_tokens=(1024, 4096, 16384),
            decode_heads=(16, 128),
            prefill_tokens=(512, 1024, 2048, 4096, 8192),
            prefill_heads=(16, 128),
            memory_bytes=tuple(2**power * 2**20 for power in range(2, 13, 2)),
            repeats=11,
            warmup=3,
            budget_s=600.0,
        )


@dataclass(frozen=True)
class Measured:
    """What a sweep found.

    Parameters
    ----------
    rows
        One mapping a point, with the keys of :data:`COLUMNS`.
    skipped
        The points without a row, each with the reason, in words.
    device_name, memory_bytes
        As in :func:`device_figures`.
    torch_version
        Version of the torch that ran.
    """

    rows: list[dict[str, Any]]
    skipped: list[str]
    device_name: str
    memory_bytes: int
    torch_version: str


@dataclass(frozen=True)
class _Point:
    """One problem to be timed; unused sizes are 0."""

    operator: str
    format: str
    m: int = 0
    k: int = 0
    n: int = 0
    groups: int = 0
    heads: int = 0
    width: int = 0
    v_width: int = 0
    batch: int = 0
    kv_tokens: int = 0

    def __str__(self) -> str:
        sizes = (f"{name}={getattr(self, name)}" for name in SIZES_OF[self.operator])
        return f"{self.operator} {self.format} {' '.join(sizes)}"

    @property
    def operand_bytes(self) -> int:
        """Bytes of one set of operands."""
        if self.operator == "memory":
            return self.n
        if self.operator == "attention_decode":
            elements = self.batch * (self.heads + self.kv_tokens) * self.width
        elif self.operator == "attention_prefill":
            elements = 3 * self.heads * self.kv_tokens * self.width
        else:
            elements = max(self.groups, 1) * self.k * (self.m + self.n)
        return elements * ELEMENT_BYTES[self.format]

    @property
    def result_bytes(self) -> int:
        """Bytes of the result, and of scores and weights where decode writes them."""
        if self.operator == "memory":
            return 0
        if self.operator == "attention_decode":
            elements = self.batch * self.heads * (2 * self.kv_tokens + self.v_width)
        elif self.operator == "attention_prefill":
            elements = self.heads * self.kv_tokens * self.v_width
        else:
            elements = max(self.groups, 1) * self.m * self.n
        return elements * RESULT_BYTES[self.format]

    @property
    def flops(self) -> int:
        """FLOPs of one call; causal prefill does half of the square."""
        pairs = self.heads * (self.width + self.v_width)
        if self.operator == "attention_decode":
            return 2 * self.batch * self.kv_tokens * pairs
        if self.operator == "attention_prefill":
            return self.kv_tokens**2 * pairs
        return 2 * max(self.groups, 1) * self.m * self.k * self.n

    @property
    def work(self) -> float:
        """What a call costs relative to others, in bytes: the order of the points."""
        return self.operand_bytes + self.result_bytes + self.flops / FLOPS_PER_BYTE


def measure(
    device: str = "auto",
    sweep: Sweep | None = None,
    on_row: Callable[[dict[str, Any]], None] | None = None,
) -> Measured:
    """Time the points of a sweep on a device.

    Operators, each in bf16, or in fp32 where that is the faster of the two:

    * ``gemm``: [m, k] × [k, n], weights stored by column; also in int8 and fp8 where the device
      multiplies them no slower than fp32;
    * ``grouped_gemm``: [groups, m, k] × [groups, k, n], the experts of a rank;
    * ``attention_decode``: absorbed latent attention, unfused: queries [batch, heads, width] on a
      cache [batch, kv_tokens, width] whose first ``v_width`` elements are the values. The scores
      pass through memory, so a fused kernel is faster;
    * ``attention_prefill``: causal attention of one sequence of ``kv_tokens``;
    * ``memory``: a copy that moves ``n`` bytes, read and written together.

    Parameters
    ----------
    device
        "auto" (the first there is of cuda, npu, mps, cpu), or one of them, or one like "cuda:1".
    sweep
        The points; ``Sweep.quick()`` if None.
    on_row
        Called with each row as soon as it is measured.

    Returns
    -------
    Measured
        Rows with ``latency_us``, the median time of one call in microseconds, and the points
        skipped: those that need more than a quarter of the free memory, would overrun the
        budget, or are refused by torch.

    Raises
    ------
    ValueError
        If the device is unknown or absent.
    ImportError
        If torch, or torch_npu for an NPU, is not installed.
    """
    bench = _bench(device)
    sweep = sweep or Sweep.quick()
    figures = bench.figures()
    deadline = time.perf_counter() + sweep.budget_s
    measured = Measured([], [], figures["name"], figures["memory_bytes"], bench.torch.__version__)
    pace: dict[tuple[str, str], float] = {}  # seconds of a unit of work, of the latest row
    with bench.torch.inference_mode():
        points = _points(sweep, *bench.formats())
        for point in sorted(points, key=lambda point: point.work):
            kind = (point.operator, point.format)
            found = bench.latency_s(point, sweep, deadline, pace.get(kind, 0.0) * point.work)
            if isinstance(found, str):
                measured.skipped.append(f"{point}: {found}")
                continue
            pace[kind] = found / point.work
            row = {**asdict(point), "latency_us": round(found * 1e6, 3)}
            measured.rows.append(row)
            if on_row is not None:
                on_row(row)
    return measured


def device_figures(device: str = "auto") -> dict[str, Any]:
    """Return what a device says of itself: ``name``, ``type`` and ``memory_bytes``.

    Parameters and errors are those of :func:`measure`.
    """
    return _bench(device).figures()


def _points(sweep: Sweep, main: str, more: tuple[str, ...]) -> Iterator[_Point]:
    """Yield every point: dense products in all formats, the rest in the main one."""
    for number_format, m, (k, n) in itertools.product((main, *more), sweep.tokens, sweep.weights):
        yield _Point("gemm", number_format, m=m, k=k, n=n)
    experts = itertools.product(sweep.groups, sweep.group_tokens, sweep.group_weights)
    for groups, m, (k, n) in experts:
        yield _Point("grouped_gemm", main, m=m, k=k, n=n, groups=groups)
    width, v_width = sweep.latent_width, sweep.latent_v_width
    decode = itertools.product(sweep.decode_heads, sweep.batches, sweep.decode_tokens)
    for heads, batch, kv in decode:
        latent = {"heads": heads, "width": width, "v_width": v_width}
        yield _Point("attention_decode", main, **latent, batch=batch, kv_tokens=kv)
    for heads, kv in itertools.product(sweep.prefill_heads, sweep.prefill_tokens):
        full = {"heads": heads, "width": sweep.head_width, "v_width": sweep.head_width}
        yield _Point("attention_prefill", main, **full, batch=1, kv_tokens=kv)
    for size in sweep.memory_bytes:
        yield _Point("memory", main, n=size)


@dataclass(frozen=True)
class _Bench:
    """A torch device with what differs between kinds of them."""

    torch: Any
    device: Any

    @property
    def kind(self) -> str:
        return str(self.device.type)

    def figures(self) -> dict[str, Any]:
        """Return ``name``, ``type`` and ``memory_bytes``."""
        backend = getattr(self.torch, self.kind)
        if self.kind == "cpu":
            name, size = _cpu_name(), _cpu_memory("SC_PHYS_PAGES")
        elif self.kind == "mps":
            name, size = f"{_cpu_name()} GPU", backend.recommended_max_memory()
        else:
            name = backend.get_device_name(self.device)
            size = backend.get_device_properties(self.device).total_memory
        return {"name": str(name), "type": self.kind, "memory_bytes": int(size)}

    def free_bytes(self) -> int:
        """Return the memory that nothing uses, torch's own cache given back."""
        backend = getattr(self.torch, self.kind)
        if self.kind == "cpu":
            return _cpu_memory("SC_AVPHYS_PAGES")
        backend.empty_cache()
        if self.kind == "mps":
            return int(backend.recommended_max_memory() - backend.driver_allocated_memory())
        return int(backend.mem_get_info(self.device)[0])

    def synchronize(self) -> None:
        """Wait until the device has done what was launched."""
        if self.kind == "mps":
            self.torch.mps.synchronize()
        elif self.kind != "cpu":
            getattr(self.torch, self.kind).synchronize(self.device)

    def formats(self) -> tuple[str, tuple[str, ...]]:
        """Return the format of most points, bf16 or fp32, and those of further dense products.

        A device that emulates a format multiplies it more slowly than fp32; timing one product
        tells, whatever the device and the version of torch.
        """
        # Large enough to outlast a launch; small enough for a CPU's emulation of fp8
        edge = 256 if self.kind == "cpu" else 2048
        seconds = {}
        for number_format in ELEMENT_BYTES:
            try:
                launch = self.prepare(_Point("gemm", number_format, edge, edge, edge), 1)
                self.elapsed_s(launch, 1)  # kernels are loaded and chosen by the first call
                seconds[number_format] = min(self.elapsed_s(launch, 1) for _ in range(5))
            except REFUSALS:
                if number_format == "fp32":  # then the device is out of order, or full
                    raise
        worth = [name for name in seconds if seconds[name] <= WORTH * seconds["fp32"]]
        return (
            "bf16" if "bf16" in worth else "fp32",
            tuple(name for name in worth if name in ("int8", "fp8")),
        )

    def latency_s(
        self, point: _Point, sweep: Sweep, deadline: float, expected_s: float
    ) -> float | str:
        """Return the seconds of one call, or why the point is skipped."""
        allowed = self.free_bytes() // 4
        needed = point.operand_bytes + point.result_bytes + self._score_bytes(point)
        if needed > allowed:
            return f"needs {needed} bytes > {allowed}, a quarter of the free memory; free some"
        too_long = _overrun(expected_s, sweep, deadline)
        if too_long:
            return too_long
        spare = allowed - needed
        copies = min(MAX_COPIES, math.ceil(COLD_BYTES / point.operand_bytes))
        copies = min(copies, 1 + spare // point.operand_bytes)
        try:
            launch = self.prepare(point, copies)
            self.elapsed_s(launch, 1)
            once = self.elapsed_s(launch, 1 + sweep.warmup) / (1 + sweep.warmup)
            too_long = _overrun(once, sweep, deadline)
            if too_long:
                return too_long
            calls = math.ceil(SAMPLE_S / once)
            samples = [self.elapsed_s(launch, calls) / calls for _ in range(sweep.repeats)]
        except REFUSALS as error:
            return f"torch refuses it: {str(error).partition(chr(10))[0]}"
        return statistics.median(samples)

    def _score_bytes(self, point: _Point) -> int:
        """Bytes of prefill's scores and weights, where no fused kernel may keep them on chip."""
        if point.operator != "attention_prefill" or self.kind in ("cuda", "cpu"):
            return 0
        return 2 * point.heads * point.kv_tokens**2 * RESULT_BYTES[point.format]

    def elapsed_s(self, launch: Callable[[int], object], calls: int) -> float:
        """Return the seconds of ``calls`` launches, the last of them waited for."""
        self.synchronize()
        start = time.perf_counter()
        for call in range(calls):
            launch(call)
        self.synchronize()
        return time.perf_counter() - start

    def prepare(self, point: _Point, copies: int) -> Callable[[int], object]:
        """Return a call of the operator that takes ``copies`` sets of operands in turn."""
        kernel, operands = getattr(self, f"_{point.operator}")(point)
        sets = [operands]
        sets += [tuple(tensor.clone() for tensor in operands) for _ in range(copies - 1)]
        return lambda call: kernel(*sets[call % copies])

    def _random(self, number_format: str, *shape: int) -> Any:
        """Return a tensor of random values: zeros draw less power, and run faster, than data."""
        torch = self.torch
        where = {"device": self.device, "generator": torch.Generator(self.device).manual_seed(0)}
        if number_format == "int8":
            return torch.randint(-127, 128, shape, dtype=torch.int8, **where)
        if number_format == "fp8":  # the patterns 0 to 126 are the numbers 0 to 448, without NaN
            bits = torch.randint(0, 127, shape, dtype=torch.uint8, **where)
            return bits.view(torch.float8_e4m3fn)
        dtype = torch.bfloat16 if number_format == "bf16" else torch.float32
        return torch.randn(shape, dtype=dtype, **where)

    def _gemm(self, point: _Point) -> tuple[Callable[..., object], tuple[Any, ...]]:
        torch = self.torch
        left = self._random(point.format, point.m, point.k)
        right = self._random(point.format, point.n, point.k).t()
        if point.format == "int8":
            return torch._int_mm, (left, right)  # noqa: SLF001 - torch has no public name for it
        if point.format == "fp8":
            one = torch.ones((), device=self.device)
            product = torch._scaled_mm  # noqa: SLF001 - nor for this
            return lambda a, b: product(a, b, one, one, out_dtype=torch.bfloat16), (left, right)
        return torch.mm, (left, right)

    def _grouped_gemm(self, point: _Point) -> tuple[Callable[..., object], tuple[Any, ...]]:
        left = self._random(point.format, point.groups, point.m, point.k)
        right = self._random(point.format, point.groups, point.n, point.k).transpose(1, 2)
        return self.torch.bmm, (left, right)

    def _attention_decode(self, point: _Point) -> tuple[Callable[..., object], tuple[Any, ...]]:
        torch = self.torch
        query = self._random(point.format, point.batch, point.heads, point.width)
        cache = self._random(point.format, point.batch, point.kv_tokens, point.width)

        def attend(query: Any, cache: Any) -> Any:
            share = torch.softmax(torch.bmm(query, cache.transpose(1, 2)), dim=-1)
            return torch.bmm(share, cache[:, :, : point.v_width])

        # The scale belongs to the query, which a layer projects with it
        return attend, (query / math.sqrt(point.width), cache)

    def _attention_prefill(self, point: _Point) -> tuple[Callable[..., object], tuple[Any, ...]]:
        attend = self.torch.nn.functional.scaled_dot_product_attention
        shape = (1, point.heads, point.kv_tokens, point.width)
        operands = tuple(self._random(point.format, *shape) for _ in range(3))
        return lambda q, k, v: attend(q, k, v, is_causal=True), operands

    def _memory(self, point: _Point) -> tuple[Callable[..., object], tuple[Any, ...]]:
        # n / 2 bytes are read and n / 2 written; what a CPU reads of the lines that it is about
        # to overwrite is not counted
        source = self.torch.ones(point.n // 2, dtype=self.torch.uint8, device=self.device)
        return lambda target, source: target.copy_(source), (source.clone(), source)


def _overrun(call_s: float, sweep: Sweep, deadline: float) -> str | None:
    """Return why the point is skipped, if calls of that length pass the deadline."""
    left = deadline - time.perf_counter()
    needed = (1 + sweep.warmup) * call_s + sweep.repeats * max(call_s, SAMPLE_S)
    if needed <= left:
        return None
    return (
        f"needs about {needed:.2g} s > {max(left, 0.0):.2g} s, the rest of "
        f"budget_s = {sweep.budget_s:g}; raise it"
    )


def _bench(device: str) -> _Bench:
    """Return the bench of a device; errors as in :func:`measure`."""
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        raise ImportError(
            "measuring kernels needs torch: pip install torch, in the build for your device"
        ) from None
    if not isinstance(device, str) or not re.fullmatch(DEVICE, device):
        raise ValueError(
            f"device = {device!r} is unknown; give 'auto', 'cuda', 'npu', 'mps' or 'cpu', or one "
            "of several as in 'cuda:1' or 'npu:1'"
        )
    kind, _, index = device.partition(":")
    if kind in ("auto", "npu"):
        _load_npu(required=kind == "npu")
    there = [name for name in ("cuda", "npu", "mps") if _available(torch, name)] + ["cpu"]
    if kind == "auto":
        return _Bench(torch, torch.device(there[0]))
    if kind not in there or (index and int(index) >= getattr(torch, kind).device_count()):
        raise ValueError(
            f"device = {device!r} is not on this machine, where torch {torch.__version__} finds "
            f"{', '.join(there)}; give one of them, or install the build of torch for yours"
        )
    return _Bench(torch, torch.device(device))


def _load_npu(required: bool) -> None:
    """Import torch_npu, which adds the device to torch; do without it unless required."""
    try:
        importlib.import_module("torch_npu")
    except ImportError:
        if required:
            raise ImportError("device = 'npu' needs torch_npu: pip install torch_npu") from None


def _available(torch: Any, kind: str) -> bool:
    backend = getattr(torch.backends if kind == "mps" else torch, kind, None)
    return backend is not None and bool(backend.is_available())


def _cpu_name() -> str:
    """Return the model of the CPU, or its architecture where the system does not say more."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _cpu_memory(pages: str) -> int:
    """Return bytes of memory: ``SC_PHYS_PAGES``, all of it, or ``SC_AVPHYS_PAGES``, free.

    A container's limit counts as the memory. Where the system does not tell what is free, a
    quarter of all is taken to be.
    """
    known = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in known:
        raise ValueError("device = 'cpu': this system does not tell its memory; use another device")
    share = 1 if pages in known else 4
    found = os.sysconf(pages if pages in known else "SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text()) if pages == "SC_AVPHYS_PAGES" else 0
    except (OSError, ValueError):  # no such group, or its limit is the word "max"
        return found // share
    return min(found // share, max(limit - used, 0))


def _check_sizes(name: str, value: Any) -> None:
    """Raise ValueError unless ``value`` holds integers >= 1: pairs of them for weights."""
    pairs = name in ("weights", "group_weights")
    if pairs and isinstance(value, tuple):
        for pair in value:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise ValueError(f"{name} has {pair!r}, which is no pair (k, n); give (k, n)")
        value = tuple(itertools.chain.from_iterable(value))
    alone = name in ("latent_width", "latent_v_width", "head_width", "repeats")
    if not alone and not isinstance(value, tuple):
        raise ValueError(f"{name} = {value!r} is no tuple; give a tuple of sizes")
    for size in (value,) if alone else value:
        if not _is_integer(size) or size < 1:
            raise ValueError(f"{name} has {size!r}, which is no integer >= 1; give one")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
