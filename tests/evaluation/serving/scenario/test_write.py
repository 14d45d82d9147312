"""A planned deployment is written as a scenario that reads as it was played."""

import dataclasses
import tomllib

import pytest

from evaluation.serving.scenario.deployment import ServingDeployment
from evaluation.serving.scenario.scenario import FOLDER, available, read
from evaluation.serving.scenario.write import planned

EXAMPLE = """
name = "quote \\" and \\\\ and ü"
trace = "generated"
generate = { requests = 5, prompt_tokens = 8, output_tokens = 4, rate = 2.5 }
decode = { name = "power-of-two", seed = 1 }
shared_local = false
domains = { "a b" = 1.0, c = 2.0 }
jitter_sigma = 0.035

[[executor]]
role = "decode"
dies = 8
attention_domains = 1
attention_dies = 4

[[executor]]
role = "prefill"
dies = 4
acceptance = 0.5

[[fault]]
at_s = 60.0
executor = "decode-0"
kind = "die"
lasts_s = 120.0

[rebalance]
policy = "threshold"

[plan]
prefill = [1, 2]
"""


@pytest.mark.parametrize("name", available())
def test_bundled_scenarios_come_back(name, tmp_path):
    """Written on its own executors a scenario reads as it was."""
    path = tmp_path / "written.toml"
    scenario = read(name)
    path.write_text(planned(FOLDER / f"{name}.toml", scenario))
    assert read(path) == scenario
    assert not list(tmp_path.glob(".*"))


def test_every_kind_of_value(tmp_path):
    """Quotes, tables, lists of tables and keys with spaces survive; [plan] is left out."""
    source, path = tmp_path / "mine.toml", tmp_path / "written.toml"
    source.write_text(EXAMPLE, encoding="utf-8")
    scenario = read(source)
    served = dataclasses.replace(
        ServingDeployment(3, 16, 0, 0, 9, 1).serve(scenario),
        requests=7,
        warm_up_s=1.5,
        rate_factor=2.0,
    )
    text = planned(source, served, "first\nsecond")
    path.write_text(text)
    assert text.startswith("# first\n# second\n")
    assert read(path) == served
    assert "plan" not in tomllib.loads(text)
    decode = tomllib.loads(text)["executor"][1]
    assert decode["attention_domains"] == 0
