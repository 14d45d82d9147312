"""Dispatch and combine against the published rows."""

from dataclasses import replace

import numpy as np
import pytest

from hardware import Collectives, Fabric, Library, Model

FABRIC, MODEL = Fabric.preset("cloudmatrix384", 32), Model.preset("deepseek-v3")
COLLECTIVES = Collectives(FABRIC, MODEL, Library.preset("cann-ep"))


def _even(tokens: int) -> np.ndarray:
    """Token copies each of 32 ranks receives when every rank has ``tokens`` tokens."""
    return np.full(32, tokens * 8.0)


def test_message_formats_are_the_published_ones() -> None:
    """7.5 KB out and 14 KB back at hidden 7168 (arXiv:2506.12708v2)."""
    assert COLLECTIVES.dispatch_bytes == 7.5 * 1024
    assert COLLECTIVES.combine_bytes == 14 * 1024


def test_128_tokens_at_ep32_are_near_the_published_row() -> None:
    """133 and 146 µs published; three rows decided two rates each, so 5 % is allowed."""
    assert COLLECTIVES.dispatch_s(_even(128)) == pytest.approx(133e-6, rel=0.05)
    assert COLLECTIVES.combine_s(_even(128)) == pytest.approx(146e-6, rel=0.05)


def test_nothing_sent_costs_nothing() -> None:
    """Without a token, or with a single rank, no counts are exchanged; one token pays the setup."""
    setup = COLLECTIVES.library.dispatch["setup_s"]
    assert COLLECTIVES.dispatch_s(_even(0)) == COLLECTIVES.combine_s(_even(0)) == 0
    assert COLLECTIVES.exchange_s(np.zeros((32, 32)), "dispatch") == 0
    one = np.zeros((2, 32))
    one[1, 3] = 1.0
    assert COLLECTIVES.dispatch_s(one)[0] == 0
    assert setup < COLLECTIVES.dispatch_s(one)[1] < 1.01 * setup
    alone = Collectives(Fabric.preset("cloudmatrix384", 1), MODEL, Library.preset("cann-ep"))
    assert alone.dispatch_s([800.0]) == alone.combine_s([800.0]) == 0
    assert alone.exchange_s([[800.0]], "combine") == 0


def _normal(ranks: int, top_k: int = 8, cores: int = 20) -> Collectives:
    library = replace(Library.preset("deepep-normal"), cores=cores)
    return Collectives(Fabric.preset("h100", ranks), replace(MODEL, top_k=top_k), library)


def test_a_token_goes_to_a_rank_once() -> None:
    """With 22 experts over 8 ranks all ranks are reached; 8 experts reach 5.25 of them."""
    size, setup = _normal(8).dispatch_bytes, _normal(8).setup_s("dispatch")
    for top_k in (1, 8, 22):
        reached = 8 * (1 - (7 / 8) ** top_k)
        found = _normal(8, top_k).dispatch_s(np.full(8, 4096.0 * top_k))
        assert found == pytest.approx(setup + 4096 * reached * 7 / 8 * size / 293e9)
    # Low latency sends a copy for every expert.
    low = Collectives(Fabric.preset("h100", 8), MODEL, Library.preset("deepep-ll"))
    data = low.dispatch_s(np.full(8, 8192.0)) - low.setup_s("dispatch")
    assert data == pytest.approx(8192 * 7 / 8 * low.dispatch_bytes / 248e9)


def test_a_token_crosses_to_a_node_once() -> None:
    """EP32: 8 experts reach 3.6 of 4 nodes, 2.7 of them others, over one NIC a rank."""
    far = 16384 * 3 * (1 - (3 / 4) ** 8) * _normal(32).dispatch_bytes / 43.2e9
    found = _normal(32).dispatch_s(np.full(32, 16384.0 * 8))
    assert found == pytest.approx(_normal(32).setup_s("dispatch") + far)
    copies = np.full((32, 32), 16384.0 * 8 / 32)
    assert _normal(32).exchange_s(copies, "dispatch") == pytest.approx(found, rel=0.05)


def test_few_communicating_cores_copy_slower() -> None:
    """4 SMs copy 67 GB/s within a node; from 18 on NVLink decides."""
    tokens = np.full(8, 16384.0 * 8)
    few, some, many = (_normal(8, cores=cores).dispatch_s(tokens) for cores in (4, 20, 24))
    setup = _normal(8).setup_s("dispatch")
    assert (few - setup) / (many - setup) == pytest.approx(293 / (4 * 16.8))
    assert some == many


def test_with_few_experts_few_blocks_send() -> None:
    """8 experts are 3 blocks, each of which takes 0.95 µs a token."""
    few = Collectives(Fabric.preset("h100", 8), MODEL, Library.preset("deepep-ll"))
    few = replace(few, model=replace(MODEL, experts=8, top_k=2))
    seconds = few.dispatch_s(np.full(8, 2048.0))
    assert seconds == pytest.approx(few.setup_s("dispatch") + 1024 * 0.95e-6 / 3)


def test_balance_is_never_slower_than_a_hot_rank() -> None:
    """The same copies, half of them on one rank, take longer; layers are priced one by one."""
    hot = np.full(32, 32 * 1024 / 62)
    hot[5] = 16 * 1024
    seconds = COLLECTIVES.dispatch_s(np.stack([_even(128), hot]))
    assert seconds[1] > seconds[0]
    combined = COLLECTIVES.combine_s(np.stack([_even(128), hot]))
    assert combined[1] > combined[0]


def test_weights_are_sent_at_the_measured_write_rate() -> None:
    """135 GB/s between servers (arXiv:2506.12708v2, Table 1)."""
    assert COLLECTIVES.send_bytes_per_s() == pytest.approx(135e9, rel=0.01)


def test_dispatch_becomes_cheaper_than_combine_above_batch_32_at_ep128() -> None:
    """XCCL: INT8 halves the bytes, but dispatch sets up longer (arXiv:2508.02520, Fig. 6)."""
    xccl = Collectives(Fabric.preset("cloudmatrix384", 128), MODEL, Library.preset("xccl"))

    def dearer(tokens: int) -> bool:
        copies = np.full(128, tokens * 8.0)
        return bool(xccl.dispatch_s(copies) > xccl.combine_s(copies))

    assert [dearer(tokens) for tokens in (4, 8, 16, 24)] == [True] * 4
    assert [dearer(tokens) for tokens in (40, 64, 96, 128)] == [False] * 4


def test_even_sources_price_alike_with_and_without_their_matrix() -> None:
    """A matrix of equal entries is the even spread that the rank loads alone stand for."""
    copies = np.full((32, 32), 32.0)
    for name, price in (("dispatch", COLLECTIVES.dispatch_s), ("combine", COLLECTIVES.combine_s)):
        assert COLLECTIVES.exchange_s(copies, name) == pytest.approx(price(_even(128)), rel=0.02)


def test_locality_is_cheaper() -> None:
    """Experts on the token's own die cost the setup alone; on its server less than anywhere."""
    node = np.arange(32) // 16
    own = 1024.0 * np.eye(32)
    near = np.where(node[:, None] == node[None, :], 64.0, 0.0)
    far = np.where(node[:, None] != node[None, :], 64.0, 0.0)
    seconds = COLLECTIVES.exchange_s(np.stack([own, near, far]), "dispatch")
    assert seconds[0] == COLLECTIVES.library.dispatch["setup_s"]
    assert seconds[0] < seconds[1] < seconds[2]


def test_without_contention_it_is_never_slower() -> None:
    """Links can only add to what ranks pull."""
    free = Collectives(FABRIC, MODEL, Library.preset("cann-ep"), contention=False)
    skewed = np.random.default_rng(0).lognormal(6, 2, (8, 32))
    assert (free.combine_s(skewed) <= COLLECTIVES.combine_s(skewed)).all()
    assert (free.dispatch_s(skewed) <= COLLECTIVES.dispatch_s(skewed)).all()


def test_an_all_reduce_moves_every_token_twice_but_for_the_own_share() -> None:
    """At the write rate, after two setups; one rank sends nothing, and no library no setup."""
    setup = COLLECTIVES.library.send["setup_s"]
    found = COLLECTIVES.all_reduce_s([0, 8192], 4)
    data = 2 * 0.75 * 8192 * 7168 * 2 / COLLECTIVES.send_bytes_per_s()
    np.testing.assert_allclose(found, [2 * setup, 2 * setup + data])
    assert COLLECTIVES.all_reduce_s(100, 1) == 0
    assert Collectives(FABRIC, MODEL).all_reduce_s(0, 4) == 0
    for tokens, ranks in ((-1, 4), (np.inf, 4), (1, 0)):
        with pytest.raises(ValueError, match="must be finite and >= 0, ranks = "):
            COLLECTIVES.all_reduce_s(tokens, ranks)


def test_many_cores_fill_the_port() -> None:
    """At 9 MB, 48 vector cores are over twice as fast as 2; one megabyte is below 20 µs."""
    xccl = Collectives(FABRIC, MODEL, Library.preset("xccl"))
    assert xccl.send_s(9 * 2**20, 2) > 2 * xccl.send_s(9 * 2**20, 48)
    assert xccl.send_s(1e6, 2) < 20e-6
    assert xccl.send_s(9 * 2**20, 48) > 9 * 2**20 / FABRIC.port_bytes_per_s


def test_a_trampoline_forwards_only_to_the_experts_beyond() -> None:
    """With as many expert as attention dies there is one hop; with more, a second."""
    one = COLLECTIVES.a2e_s(768, 160, 160)
    assert one == pytest.approx(22.5e-6 + 768 * 7680 / 61e9)
    assert one < COLLECTIVES.a2e_s(768, 160, 161) < COLLECTIVES.a2e_s(768, 160, 288)
    assert COLLECTIVES.a2e_s(768, 160, 80) > one  # half as many dies receive twice as much
    assert COLLECTIVES.a2e_s(768, 160, 288) < COLLECTIVES.e2a_s(768, 160, 288)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: COLLECTIVES.send_s(-1), "payload_bytes = -1 >= 0"),
        (lambda: COLLECTIVES.send_s(1, 0), "cores = 0 >= 1"),
        (lambda: COLLECTIVES.a2e_s(1, 0, 8), "attention_ranks = 0 >= 1"),
        (lambda: COLLECTIVES.exchange_s(np.ones((32, 32)), "gather"), "'gather' is not 'dispatch'"),
        (lambda: COLLECTIVES.exchange_s(np.ones((3, 3)), "combine"), r"give \[\.\.\., 32 src"),
        (lambda: COLLECTIVES.dispatch_s(np.full(32, np.nan)), "finite and >= 0"),
        (lambda: Library.preset("nccl"), "unknown preset 'nccl'"),
    ],
)
def test_impossible_calls_are_refused(call, message) -> None:
    """The value and the rule it breaks are named."""
    with pytest.raises(ValueError, match=message):
        call()
