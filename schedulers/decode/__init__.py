"""Routers of decode DP groups."""
