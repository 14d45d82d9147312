"""Routers of the job executor."""
