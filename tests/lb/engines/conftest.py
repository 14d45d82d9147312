"""Fixtures of the engine adapters."""

import functools

import pytest

from tests.lb.engines import engine_source


@pytest.fixture
def engine_file(monkeypatch):
    """Load a module of an installed engine, alone; skip where the engine is not installed."""
    packages = set()

    def load(name, *args, **kwargs):
        packages.add(name.split(".")[0])
        return engine_source.load(monkeypatch, name, *args, **kwargs)

    yield functools.wraps(engine_source.load)(load)
    for package in packages:
        engine_source.forget(package)
