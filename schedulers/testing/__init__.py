"""Conformance checks of schedulers."""
