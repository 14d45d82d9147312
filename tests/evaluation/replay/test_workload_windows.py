"""Windows of workloads in engine time."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.replay.scenario import Scenario
from evaluation.replay.traffic import traffic_of, windows_of
from evaluation.replay.workload_windows import file_hashes
from tests.evaluation.conftest import WORKLOAD
from traces import RoutingTrace, save


@pytest.fixture
def scenario(tmp_path):
    """Windows of 100 engine steps, of which 8 are priced."""
    (tmp_path / "small.toml").write_text(WORKLOAD)
    return Scenario(
        "x",
        (),
        "deepseek-v3",
        32,
        9,
        100,
        workload=(str(tmp_path / "small.toml"),),
        sampled_steps=8,
        windows=4,
    )


def test_a_window_stands_for_all_of_its_engine_steps(scenario):
    """Priced steps are a sample; their weights add up to the steps of the window."""
    windows = list(windows_of(traffic_of(scenario, 0), scenario))
    assert len(windows) == 4
    for window in windows:
        assert window.counts.shape == (8, 2, 256)
        assert window.weight.sum() == window.num_steps == 100
        assert (window.load >= window.counts.sum(axis=0)).all()


def test_history_and_judged_window_are_other_tokens_of_the_same_requests(scenario):
    """Totals are those of the same tokens; which experts they choose is drawn anew."""
    for window in windows_of(traffic_of(scenario, 0), scenario):
        assert window.observed.sum() == window.load.sum()
        assert (window.observed != window.load).any()


def test_each_seed_is_another_repetition(scenario):
    """Equal seeds give equal traffic, other seeds other requests and other layers."""
    first, again, other = (traffic_of(scenario, seed) for seed in (0, 0, 1))
    assert first.content_hash == again.content_hash != other.content_hash
    assert scenario.is_drawn


def test_a_workload_that_is_too_short_is_refused(scenario):
    """2,000 requests at 20/s are 100 s, 10 windows of 10 s."""
    with pytest.raises(ValueError, match="windows < 50; give it more requests"):
        traffic_of(replace(scenario, windows=50), 0)


def test_a_second_workload_takes_over(scenario, tmp_path):
    """Two windows of decode, then two of prefill, each with its phase."""
    prefill = WORKLOAD.replace("sequences = 64", 'sequences = 64\nstage = "prefill"')
    (tmp_path / "prefill.toml").write_text(prefill)
    both = replace(
        scenario,
        workload=(*scenario.workload, str(tmp_path / "prefill.toml")),
        window_steps=0,
        window_s=10.0,
        change_window=2,
    )
    both.check()
    windows = list(windows_of(traffic_of(both, 0), both))
    phases = [set(window.phases) for window in windows]
    assert phases == [{"decode"}, {"decode"}, {"prefill"}, {"prefill"}]
    with pytest.raises(ValueError, match="2 workloads; give one, or two and change_window"):
        replace(both, change_window=None).check()


def test_a_recording_of_engine_steps_is_judged_on_itself(tmp_path):
    """It has no other sequences, and one repetition."""
    counts = np.random.default_rng(0).integers(1, 9, (40, 2, 256))
    save(RoutingTrace(counts, "mine", 8, "decode"), tmp_path / "mine.parquet")
    (tmp_path / "mine.toml").write_text('[recording]\ntrace = "mine.parquet"\nstep_s = 0.05\n')
    scenario = Scenario("x", (), "deepseek-v3", 32, 9, 10, workload=(str(tmp_path / "mine.toml"),))
    windows = list(windows_of(traffic_of(scenario, 3), scenario))
    np.testing.assert_array_equal(windows[1].observed, counts[10:20].sum(axis=0))
    np.testing.assert_array_equal(windows[1].observed, windows[1].load)
    assert not scenario.is_drawn


def test_files_that_a_workload_names_are_in_its_hashes(tmp_path):
    """A record is reused only if law and traces are the same."""
    (tmp_path / "law.toml").write_text("one")
    path = tmp_path / "mine.toml"
    path.write_text('routing.law = "law.toml"\n')
    before = file_hashes(str(path))
    (tmp_path / "law.toml").write_text("two")
    after = file_hashes(str(path))
    assert before[0] == after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"consecutive_tokens": 64}, "consecutive_tokens .* is for traces"),
        ({"layers": 2}, "layers is for traces"),
        ({"window_s": 6.0}, "give either window_steps or window_s"),
        ({"workload": ("r1-decode-ep23",)}, "did you mean 'r1-decode-ep32'"),
    ],
)
def test_keys_that_contradict_a_workload_are_named(scenario, change, message):
    """Before anything runs."""
    with pytest.raises(ValueError, match=f"scenario 'x': .*{message}"):
        replace(scenario, **change).check()
