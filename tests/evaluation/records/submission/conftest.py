"""Records that are packed and unpacked."""

from tests.evaluation.submitted_records import made, records  # noqa: F401 - fixtures
