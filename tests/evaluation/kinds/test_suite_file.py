"""Suites are read strictly."""

from dataclasses import replace

import pytest

import lb
from evaluation.kinds import suite_file
from evaluation.replay.scenario import Scenario

GOOD = """
id = "mine-v1"
[[scenario]]
id = "one"
trace = "olmoe-domains"
model = "olmoe-1b-7b"
num_ranks = 16
slots_per_rank = 5
window_steps = 1
"""


def written(tmp_path, text):
    """Write a suite file."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_default_suite_is_composed_traffic_with_a_change_inside():
    """The main job has both EP sizes and phases, an hour each, under two dispatchers."""
    result = suite_file.load("default")
    assert result.id == "default-v4"
    assert "default" in suite_file.available()
    assert all(one.workload and one.is_drawn and one.change_window for one in result.scenarios)
    assert {one.dispatcher for one in result.scenarios} == {"even", "optimal"}
    hours = {
        (one.phase, one.num_ranks)
        for one in result.scenarios
        if (one.window_s or 0) * one.windows == 3600
    }
    assert hours == {("decode", 32), ("decode", 144), ("prefill", 32)}


@pytest.mark.parametrize("name", suite_file.available())
def test_no_bundled_suite_cuts_steps_from_consecutive_tokens(name):
    """Steps are composed, recorded by an engine, or generated."""
    for one in suite_file.load(name).scenarios:
        assert getattr(one, "consecutive_tokens", None) is None


def test_own_file(tmp_path):
    """A path to a .toml file is a suite; one trace may be given without a list."""
    result = suite_file.load(written(tmp_path, GOOD))
    assert result.scenarios[0].trace == ("olmoe-domains",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("window_steps", "windw_steps"),
            "scenario 'one': unknown key 'windw_steps'; did you mean",
        ),
        (("window_steps = 1", ""), "key 'window_steps' is missing"),
        (("= 16", "= 0"), "num_ranks = 0; give an integer >= 1"),
        (("= 16", '= "many"'), "num_ranks = 'many'"),
        (('"olmoe-1b-7b"', "7"), "model = 7; give a non-empty string"),
        (('"olmoe-domains"', "[]"), r"trace = \[\]; give a name, or a list"),
        (('id = "mine-v1"', ""), "id is missing: a suite has an id"),
        (("[[scenario]]", "[[scenario"), "not TOML"),
        (("window_steps = 1", "dispatcher = 3\nwindow_steps = 1"), "dispatcher = 3; give a name"),
        (
            ("window_steps = 1", 'window_steps = 1\ndispatcher = ["even", "even"]'),
            r"scenario 'one': dispatcher = \['even', 'even'\] names one twice",
        ),
        (("[[scenario]]", 'solvers = ["gredy"]\n[[scenario]]'), "did you mean 'greedy'"),
        (("[[scenario]]", "solvers = 3\n[[scenario]]"), "solvers = 3; give a list of names"),
        (("[[scenario]]", 'solvers = "greedy"\n[[scenario]]'), "solvers = 'greedy'; give a list"),
        (
            ("[[scenario]]", 'solvers = ["eplb", "eplb"]\n[[scenario]]'),
            r"solvers: \['eplb'\] occur twice; name each once",
        ),
        (("[[scenario]]", "parameters = 3\n[[scenario]]"), "parameters = 3; give tables"),
        (
            ("[[scenario]]", "[parameters]\nilp = 3\n[[scenario]]"),
            r"parameters.ilp = 3; give a table \[parameters.ilp\]",
        ),
        (("[[scenario]]", "[scenario]"), r"scenario = .*; give \[\[scenario\]\] tables"),
        (
            ("window_steps = 1", 'window_steps = 1\nforecaster = ["last"]'),
            r"scenario 'one': forecaster = \['last'\]; give a non-empty string",
        ),
        (
            ("window_steps = 1", "window_steps = 1\nobjective = 1"),
            "scenario 'one': objective = 1; give a non-empty string",
        ),
        (
            ("window_steps = 1", "window_steps = 1\nhold_steps = 64"),
            "scenario 'one': hold_steps is no longer a key: .* compose engine steps",
        ),
        (
            ("window_steps = 1", "window_steps = 1\nstep_tokens = 256"),
            "scenario 'one': step_tokens is no longer a key: .* or say consecutive_tokens",
        ),
        (
            ("window_steps = 1", "window_steps = 1\nmigration_pause_s = -1"),
            "scenario 'one': migration_pause_s = -1; give",
        ),
        (("[[scenario]]", "[parameters.ilp]\nbugdet = 1\n[[scenario]]"), "no parameter 'bugdet'"),
        (
            ("[[scenario]]", "[parameters.greedy]\nx = 1\n[[scenario]]"),
            "no parameter 'x'; it takes none",
        ),
        (("[[scenario]]", "[parameters.none]\n[[scenario]]"), "unknown solver 'none'"),
        (("[[scenario]]", 'kind = "solvers"\n[[scenario]]'), "kind = 'solvers' is not one of"),
        (
            ("[[scenario]]", "secnario = 1\n[[scenario]]"),
            "secnario: a suite of kind",
        ),
    ],
)
def test_broken_suites_are_named(tmp_path, change, message):
    """The message has file, scenario, key and fix."""
    with pytest.raises(ValueError, match=f"mine.toml.*{message}") as caught:
        suite_file.load(written(tmp_path, GOOD.replace(*change)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("olmoe-1b-7b", "olmoe-1b"), "unknown preset 'olmoe-1b': did you mean 'olmoe-1b-7b'"),
        (("olmoe-domains", "olmo"), "unknown trace 'olmo'"),
        (("= 5", "= 3"), "48 slots < 64 experts; give slots_per_rank >= 4"),
        (("window_steps", 'phase = "warm"\nwindow_steps'), "phase = 'warm' is not"),
        (("window_steps", 'dispatcher = "evn"\nwindow_steps'), "unknown dispatcher 'evn'"),
    ],
)
def test_impossible_scenarios_are_named(tmp_path, change, message):
    """Before anything runs, and with the scenario's name."""
    scenario = suite_file.load(written(tmp_path, GOOD.replace(*change))).scenarios[0]
    with pytest.raises(ValueError, match=f"scenario 'one': .*{message}"):
        scenario.check()


def test_scenario_ids_are_unique(tmp_path):
    """Two scenarios with one id could not be distinguished."""
    table = GOOD[GOOD.index("[[") :]
    with pytest.raises(ValueError, match=r"scenario ids \['one'\] occur twice"):
        suite_file.load(written(tmp_path, GOOD + table))


def test_unknown_suite_suggests():
    """A typo is answered with the nearest name, and so is a suite that is gone."""
    with pytest.raises(ValueError, match="unknown suite 'defualt': did you mean 'default'"):
        suite_file.load("defualt")
    with pytest.raises(ValueError, match=r"unknown suite 'next'.*shift.*steady"):
        suite_file.load("next")


def test_trace_of_another_model_is_refused():
    """Weights of another size would be charged otherwise."""
    scenario = Scenario("x", ("olmoe-domains",), "deepseek-v3", 16, 5, 1)
    with pytest.raises(ValueError, match="experts = 64, the model deepseek-v3 has 256"):
        scenario.check_trace(scenario.load_trace())


def test_tokens_need_steps():
    """Recorded tokens are in no steps: a workload composes them, or the user says how to cut."""
    scenario = Scenario("x", ("dsv2lite-intent", "dsv2lite-summary"), "deepseek-v2-lite", 16, 5, 4)
    with pytest.raises(ValueError, match="compose engine steps with a workload"):
        scenario.load_trace()
    assert replace(scenario, consecutive_tokens=256).load_trace().num_steps == 65


@pytest.mark.parametrize("name", suite_file.available())
def test_bundled_suites_can_run(name):
    """Every name in them is known, what they ask fits, and scenario ids are unique."""
    result = suite_file.load(name)
    for scenario in result.scenarios:
        scenario.check()
    assert len(set(map(repr, result.scenarios))) == len(result.scenarios)


def test_dispatchers_of_a_scenario_share_its_id(tmp_path):
    """A list gives a scenario for each dispatcher, under one id."""
    text = GOOD + 'dispatcher = ["even", "optimal"]\n'
    result = suite_file.load(written(tmp_path, text))
    assert [(one.id, one.dispatcher) for one in result.scenarios] == [
        ("one", "even"),
        ("one", "optimal"),
    ]
    assert result.scenario_ids == ["one"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('dispatcher = "optimum"', "unknown dispatcher 'optimum': did you mean 'optimal'"),
        ('forecaster = "lst"', "unknown forecaster 'lst': did you mean 'last'"),
        ('objective = "minutes"', "objective = 'minutes' is not 'tokens' or 'seconds'"),
    ],
)
def test_unknown_names_of_a_scenario_are_named(tmp_path, line, message):
    """Before anything runs, by the scenario's id."""
    result = suite_file.load(written(tmp_path, f"{GOOD}{line}\n"))
    with pytest.raises(ValueError, match=f"scenario 'one': {message}") as caught:
        result.scenarios[0].check()
    assert "\n" not in str(caught.value)


def test_solvers_and_parameters_of_a_suite(tmp_path):
    """They are read as in the file."""
    text = GOOD.replace(
        "[[scenario]]", 'solvers = ["greedy"]\n[parameters.ilp]\nbudget = 0.5\n[[scenario]]'
    )
    result = suite_file.load(written(tmp_path, text))
    assert result.solvers == ("greedy",)
    assert result.parameters == {"ilp": {"budget": 0.5}}


def test_a_list_of_dispatchers_differs_in_that_alone(tmp_path):
    """And a forecast suite names no solvers, which it would not run."""
    text = GOOD + 'dispatcher = ["even", "rotate", "optimal"]\n'
    first, *others = suite_file.load(written(tmp_path, text)).scenarios
    for one in others:
        assert replace(one, dispatcher=first.dispatcher) == first
    kind = GOOD.replace("[[scenario]]", 'kind = "forecast"\nsolvers = ["greedy"]\n[[scenario]]')
    with pytest.raises(ValueError, match=r"mine\.toml: solvers: .* leave solvers out"):
        suite_file.load(written(tmp_path, kind))


def test_deployment_takes_what_the_scenario_says():
    """The problem of a solver comes from the suite, not from defaults."""
    scenario = Scenario(
        "x",
        ("olmoe-domains",),
        "olmoe-1b-7b",
        16,
        5,
        1,
        history_windows=3,
        migration_pause_s=7.0,
        dispatcher="optimal",
        forecaster="mean",
        objective="seconds",
    )
    deployment = scenario.deployment(scenario.executor())
    for key in ("history_windows", "migration_pause_s", "dispatcher", "forecaster", "objective"):
        assert getattr(deployment, key) == getattr(scenario, key)


def test_seconds_suite_compares_pairs():
    """Scenarios that end in -tokens and -seconds differ by id and objective alone."""
    result = {one.id: one for one in suite_file.load("seconds").scenarios}
    names = {name.rpartition("-")[0] for name in result}
    assert len(result) == 2 * len(names)
    for name in names:
        tokens, seconds = result[f"{name}-tokens"], result[f"{name}-seconds"]
        assert (tokens.objective, seconds.objective) == ("tokens", "seconds")
        assert replace(tokens, id=seconds.id, objective="seconds") == seconds


def test_dispatch_suite_is_the_default_one_under_every_dispatcher():
    """The same scenarios, so that rows of the two compare."""

    def plain(name):
        return {replace(one, dispatcher="even") for one in suite_file.load(name).scenarios}

    assert plain("dispatch") == plain("default")
    result = suite_file.load("dispatch").scenarios
    for name in {one.id for one in result}:
        dispatchers = [one.dispatcher for one in result if one.id == name]
        assert sorted(dispatchers) == lb.available_dispatchers()


def test_a_trace_of_requests_is_refused():
    """Before anything runs: it says nothing of experts."""
    scenario = Scenario("x", ("azure-2023-conv",), "deepseek-v2-lite", 16, 5, 4)
    with pytest.raises(ValueError, match="azure-2023-conv"):
        scenario.check()


def test_seeds_and_budget_are_read(tmp_path):
    """Without them there is one seed and no budget."""
    text = GOOD.replace("[[scenario]]", "seeds = [3, 5]\nbudget_s = 20\n[[scenario]]")
    result = suite_file.load(written(tmp_path, text))
    assert (result.seeds, result.budget_s) == ((3, 5), 20)
    plain = suite_file.load(written(tmp_path, GOOD))
    assert (plain.seeds, plain.budget_s) == ((0,), None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("seeds = 3", "seeds = 3; give a list of integers"),
        ("seeds = []", r"seeds = \[\]; give a list"),
        ("seeds = [-1]", r"seeds = \[-1\]; give a list"),
        ("seeds = [1, 1]", r"seeds = \[1, 1\] names one twice"),
        ("budget_s = 0", "budget_s = 0; "),
    ],
)
def test_broken_seeds_are_named(tmp_path, line, message):
    """With the file's name."""
    with pytest.raises(ValueError, match=f"mine.toml: {message}"):
        suite_file.load(written(tmp_path, GOOD.replace("[[scenario]]", f"{line}\n[[scenario]]")))


@pytest.mark.parametrize(
    "value", ["0.5", "[0.5, 0.5]", "[0.5, 0.2, 0.2]", "[0.0, 0.5, 0.5]", "[0.5, 0.5, 0.0]"]
)
def test_a_split_has_three_parts_of_one(tmp_path, value):
    """And something to train and to test on."""
    with pytest.raises(ValueError, match=r"split = .*; give \[train, validation, test\]"):
        suite_file.load(written(tmp_path, f"{GOOD}split = {value}\n"))
    result = suite_file.load(written(tmp_path, f"{GOOD}split = [0.5, 0, 0.5]\n"))
    assert result.scenarios[0].split == (0.5, 0.0, 0.5)


def test_a_drawn_scenario_has_a_trace_for_each_seed():
    """Of so many steps and layers; the seed of a recorded one changes nothing."""
    scenario = Scenario("x", ("ar1-drift",), "deepseek-v3", 32, 9, 1, steps=3, layers=2)
    one, other = scenario.load_trace(0), scenario.load_trace(1)
    assert one.counts.shape == other.counts.shape == (3, 2, 256)
    assert one.content_hash != other.content_hash
    recorded = Scenario("x", ("olmoe-domains",), "olmoe-1b-7b", 16, 5, 1)
    assert recorded.load_trace(0).content_hash == recorded.load_trace(1).content_hash
    with pytest.raises(ValueError, match="scenario 'x': steps = 3: olmoe-domains is recorded"):
        replace(recorded, steps=3).check()
