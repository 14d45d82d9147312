"""The page of a suite as plain data for the template."""

from dataclasses import dataclass
from typing import Any

from evaluation.report import rankings
from evaluation.report.candidate_labels import slug
from evaluation.report.leaderboard_table import LeaderboardTable, leaderboard_table
from evaluation.report.panel import Panel, Record
from evaluation.report.panel_data import finished
from evaluation.report.panels import SUITE, panels
from evaluation.report.record_display import display_of_all


@dataclass(frozen=True)
class SeparateGroup:
    """Records that do not compare with the others of their suite, and the reason."""

    reason: str
    table: LeaderboardTable


@dataclass(frozen=True)
class SuitePage:
    """A suite: its leaderboard, groups of records that do not compare, and panels."""

    id: str
    page: str
    table: LeaderboardTable
    separate: tuple[SeparateGroup, ...]
    scenarios: tuple[dict[str, Any], ...]
    seeds: int
    panels: dict[str, Panel]


def suite_page(suite: str, records: list[Record]) -> SuitePage:
    """Return the page of a suite."""
    curves = [record for record in records if "anytime" in record]
    main, others = rankings.split([record for record in records if "anytime" not in record])
    scenarios = {record["scenario"]["id"]: record["scenario"] for record in main}
    kind = display_of_all(finished(main) or records)
    return SuitePage(
        suite,
        f"suites/{slug(suite)}.html",
        leaderboard_table(main, kind),
        tuple(SeparateGroup(reason, leaderboard_table(group, kind)) for reason, group in others),
        tuple(scenarios[name] for name in sorted(scenarios)),
        len({str(record.get("seed")) for record in main}),
        panels(SUITE, [*main, *curves]),
    )
