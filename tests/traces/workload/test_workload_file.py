"""Workloads as TOML files."""

import tomllib

import numpy as np
import pytest

import traces
from traces import RoutingTrace, generators
from traces.generators import Law
from traces.workload import RecordingWorkload, Workload, load
from traces.workload.workload_file import workload_of

LAW = """
seed = 3
start_s = 2.0
[requests]
count = 300
arrivals = { law = "gamma", rate = 20.0, cv = 2.0 }
lengths = { prompt_mean = 60, output_mean = 40 }
[[requests.schedule]]
shares = { chat = 1 }
[[requests.schedule]]
start_s = 5.0
shares = { code = 1 }
[batching]
sequences = 32
stage = "both"
[routing]
law = "small.toml"
domain_names = ["chat", "code"]
sequence_correlation = 0.3
sequence_kinds = 4
"""
RECORDED = """
batching = { sequences = 64 }
routing.recorded = { intent = "dsv2lite-intent", summary = "dsv2lite-summary" }
[[requests]]
trace = "azure-2023-conv"
rate = 50.0
domain = "intent"
[[requests]]
count = 40
start_s = 30.0
arrivals.rate = 1.0
lengths.trace = "mooncake-conv"
sessions.turns = 2.0
domain = "summary"
"""


@pytest.fixture
def folder(tmp_path):
    """A law, and counts of two conditions."""
    law = Law(layers=2, experts=8, top_k=2, domains=2, affinity=0.5)
    generators.save(law, tmp_path / "small.toml")
    for name, counts in (("short", [9, 3]), ("long", [3, 9])):
        traces.save(RoutingTrace([[counts]], "toy", 1, "decode"), tmp_path / f"{name}.parquet")
    return tmp_path


def read(folder, text):
    """The workload of a file with this text."""
    path = folder / "workload.toml"
    path.write_text(text)
    return load(path)


def test_a_law_and_generated_requests(folder):
    """Every table arrives, and files beside it are found."""
    workload = read(folder, LAW)
    assert isinstance(workload, Workload)
    assert (workload.seed, workload.start_s, workload.batching.stage) == (3, 2.0, "both")
    assert workload.routing.num_conditions == 2 * 4
    late = workload.requests.arrival_s >= 5.0
    np.testing.assert_array_equal(workload.requests.domain, late)
    assert next(workload.steps()).counts.shape[1:] == (2, 8)


def test_recordings_and_several_streams(folder):
    """Streams arrive together, each with its domain, rate and beginning."""
    workload = read(folder, RECORDED)
    requests = workload.requests
    first, second = (requests.domain == number for number in (0, 1))
    times = requests.arrival_s[first]
    assert (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(50.0)
    assert requests.arrival_s[second].min() >= 30.0
    assert second.sum() > 40
    assert next(workload.steps()).counts.shape[1:] == (26, 64)


def test_a_recording_can_be_read_several_times(folder):
    """Two laps are twice the requests at the same rate."""
    once, twice = (
        read(
            folder,
            f'{RECORDED.split("[[requests]]")[0]}[requests]\ntrace = "azure-2023-conv"\n'
            f"shares = {{ intent = 1, summary = 3 }}\nlaps = {laps}",
        ).requests
        for laps in (1, 2)
    )
    assert twice.num_requests == 2 * once.num_requests
    assert twice.rate == pytest.approx(once.rate)
    assert (twice.domain == 1).mean() == pytest.approx(0.75, abs=0.02)


def test_conditions_of_recorded_counts(folder):
    """Each condition has the counts of its file."""
    workload = read(
        folder,
        """
        batching.sequences = 8
        [requests]
        count = 50
        arrivals.rate = 5.0
        lengths = { prompt_mean = 60, output_mean = 40 }
        [[routing.conditions]]
        trace = "short.parquet"
        output_tokens = [0, 40]
        [[routing.conditions]]
        trace = "long.parquet"
        """,
    )
    shares = [chance.tolist() for chance in workload.routing.chances.values()]
    assert shares == [[[0.75, 0.25]], [[0.25, 0.75]]]


def test_a_condition_is_one_step_of_a_trace(folder):
    """By the name that the trace gives it; another name, and tokens, are refused."""
    text = """
        batching.sequences = 8
        [requests]
        count = 50
        arrivals.rate = 5.0
        lengths = { prompt_mean = 60, output_mean = 40 }
        [[routing.conditions]]
        trace = "olmoe-domains"
        condition = "github"
        """
    (chance,) = read(folder, text).routing.chances.values()
    recorded = traces.load("olmoe-domains")
    counts = recorded.counts[traces.condition_names(recorded).index("github")]
    np.testing.assert_allclose(chance, 8 * counts / counts.sum(axis=1, keepdims=True))
    with pytest.raises(ValueError, match="condition = 'gitlab' is not one of arxiv, book, c4"):
        read(folder, text.replace("github", "gitlab"))
    with pytest.raises(ValueError, match="holds tokens, not one step a condition"):
        read(folder, text.replace("olmoe-domains", "dsv2lite-intent"))


def test_a_law_of_loads(folder):
    """A preset by its name, with domains and kinds of sequences; 2 phases in 18 bins of lengths."""
    text = (
        LAW.split("[routing]")[0]
        + """
        [routing]
        loads = "deepseek-r1"
        domain_names = ["chat", "code"]
        sequence_kinds = 2
        sequence_correlation = 0.003
        """
    )
    routing = read(folder, text).routing
    assert routing.num_conditions == 2 * 2 * 18 * 2
    assert routing.kinds.correlation == 0.003


def test_a_recording_as_it_is(folder):
    """Per-step counts with the time of a step."""
    workload = read(folder, 'recording = { trace = "short.parquet", step_s = 0.5 }')
    assert isinstance(workload, RecordingWorkload)
    assert next(workload.steps()).counts.tolist() == [[[9, 3]]]


def test_a_recording_with_its_own_times(folder):
    """Which need no step_s; a recording without times does."""
    timed = RoutingTrace([[[9, 3]]] * 2, "toy", 1, "decode", time_s=[1.0, 4.0])
    traces.save(timed, folder / "timed.parquet")
    workload = read(folder, 'recording = { trace = "timed.parquet" }')
    assert next(workload.steps()).time_s.tolist() == [1, 4]
    with pytest.raises(ValueError, match="step_s"):
        read(folder, 'recording = { trace = "short.parquet" }')


def test_equal_files_are_equal_workloads(folder):
    """All that is random comes from the seeds of the file."""
    first, again = (next(read(folder, LAW).windows(window_s=3.0)) for _ in range(2))
    np.testing.assert_array_equal(first.counts, again.counts)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("sequences = 32", "sequence = 32", "batching has no key 'sequence'.*sequences"),
        ("sequences = 32", "sequences = 0", "batching: sequences"),
        ("sequences = 32", 'sequences = "many"', "batching: sequences"),
        ("count = 300", "", "either trace, a recording, or count"),
        ("count = 300", "count = 300\nrate = 2.0", "rate is for recordings"),
        ('law = "gamma"', 'law = "gama"', "'gama'.*poisson, gamma, diurnal"),
        ("lengths = {", "length = {", "requests has no key 'length'"),
        ("output_mean = 40", "output_mean = 0", "output_mean"),
        ("shares = { chat = 1 }", "", "schedule lacks shares"),
        ('law = "small.toml"', 'law = "smal.toml"', "smal.toml"),
        ("sequence_correlation = 0.3", "recorded = {}", "give one"),
        ("start_s = 2.0", "start = 2.0", "no key 'start'.*nearest: start_s"),
        ("seed = 3", "seed = ", "workload.toml"),
    ],
)
def test_errors_name_the_key(folder, old, new, text):
    """A key that is unknown, missing or has no effect, and values out of range."""
    assert old in LAW
    with pytest.raises((ValueError, FileNotFoundError), match=text):
        read(folder, LAW.replace(old, new, 1))


def test_keys_without_effect_are_refused():
    """Beside recordings, a law's keys would do nothing."""
    table = tomllib.loads(RECORDED)
    table["routing"]["law_step_s"] = 1.0
    with pytest.raises(ValueError, match="law_step_s has no effect with recorded"):
        workload_of(table)
    with pytest.raises(ValueError, match="routing has no effect beside recording"):
        workload_of({"recording": {"trace": "x"}, "routing": {}})


def test_layers_of_conditions_are_sampled(tmp_path):
    """As many as asked for, and others in another repetition."""
    counts = np.arange(1, 41).reshape(1, 10, 4) + 10
    counts[..., -1] += counts.sum(axis=2) % 2
    traces.save(traces.RoutingTrace(counts, "toy", 2), tmp_path / "t.parquet")
    path = tmp_path / "w.toml"
    path.write_text(
        """
        batching.sequences = 8
        requests = { count = 4, arrivals.rate = 1, lengths = { prompt_mean = 5, output_mean = 5 } }
        [routing]
        layers = 5
        [[routing.conditions]]
        trace = "t.parquet"
        """
    )
    first, again, other = (load(path, draw).routing for draw in (0, 0, 1))
    (chance,) = first.chances.values()
    assert chance.shape == (5, 4)
    assert (chance == next(iter(again.chances.values()))).all()
    assert not np.array_equal(chance, next(iter(other.chances.values())))
