"""Records that are run again."""

from tests.evaluation.submitted_records import made, records  # noqa: F401 - fixtures
