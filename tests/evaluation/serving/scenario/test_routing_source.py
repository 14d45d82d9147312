"""Requests and routing of a scenario have one source each, and files beside it are found."""

import pytest

from evaluation.serving.scenario.routing_source import located, strings
from evaluation.serving.scenario.scenario import read

SCENARIO = """
name = "mine"
{source}
[[executor]]
role = "both"
dies = 8
"""


def read_with(folder, source):
    """Return the scenario with these keys."""
    path = folder / "scenario.toml"
    path.write_text(SCENARIO.format(source=source))
    return read(path)


def test_a_workload_beside_the_scenario_is_found(tmp_path):
    """Others are bundled ones, or found from where podlab runs."""
    (tmp_path / "day.toml").touch()
    scenario = read_with(tmp_path, 'workload = "day.toml"')
    assert (scenario.workload, scenario.trace) == (str(tmp_path / "day.toml"), "")
    assert read_with(tmp_path, 'workload = "r1-decode-ep32"').workload == "r1-decode-ep32"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trace", '"azure-2023-conv"'),
        ("generate", "{ requests = 1, prompt_tokens = 1, output_tokens = 1 }"),
        ("routing", '"uniform"'),
        ("routing_step_s", "1.0"),
        ("domains", "{ a = 1 }"),
    ],
)
def test_keys_that_a_workload_has_itself_are_refused(tmp_path, key, value):
    """The message names the key."""
    with pytest.raises(ValueError, match=f"{key} has no effect beside workload"):
        read_with(tmp_path, f'workload = "r1-decode-ep32"\n{key} = {value}')


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "lacks 'trace' or 'workload'"),
        ('trace = "a"\nrouting = 3', r"give a name, or a list of names, or a \[routing\] table"),
        (
            'trace = "a"\nrouting_step_s = 1.0\nrouting = { law = "deepseek-v3-decode" }',
            r"give routing\.law_step_s",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, source, message):
    """No requests, no routing, or the key of a name beside a table."""
    with pytest.raises(ValueError, match=message):
        read_with(tmp_path, source)


def test_files_anywhere_in_a_table_are_found(tmp_path):
    """In lists and tables; other strings stay."""
    (tmp_path / "short.npz").touch()
    table = {"conditions": [{"trace": "short.npz", "phase": "decode"}], "layers": 3}
    found = located(table, tmp_path)
    assert found == {
        "conditions": [{"trace": str(tmp_path / "short.npz"), "phase": "decode"}],
        "layers": 3,
    }
    assert list(strings(found)) == [str(tmp_path / "short.npz"), "decode"]
