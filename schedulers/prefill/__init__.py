"""Routers of prefill DP groups."""
