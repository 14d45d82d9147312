"""Submissions: records, solver files and environment in one file that others can check."""
