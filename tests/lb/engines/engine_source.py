"""Load one file of an engine that is installed without its dependencies."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from pathlib import Path
from unittest.mock import MagicMock

import pytest


class _StandIn(types.ModuleType):
    """A module in which every name exists."""

    __path__: list[str] = []  # noqa: RUF012, what the import system reads

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = MagicMock(name=f"{self.__name__}.{name}")
        setattr(self, name, value)
        return value


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers every import below the engine's package with a stand-in."""

    def __init__(self, packages):
        self.packages = packages

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.packages:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _StandIn(spec.name)

    def exec_module(self, module):
        """Leave it empty: names appear when they are asked for."""


def load(monkeypatch, name, stands_in=(), **others):
    """Run the file of the module ``name``; whatever else it imports of the engine stands in.

    ``stands_in`` are further packages that are not there, ``others`` names that a stand-in module
    must have: ``vllm_logger={"x": 1}`` for ``vllm.logger``, dots written as underscores twice.
    """
    package = name.split(".")[0]
    spec = importlib.util.find_spec(package)
    folder = Path(spec.submodule_search_locations[0]) if spec else None
    if folder is None or isinstance(sys.modules.get(package), _StandIn):
        pytest.skip(f"the files of {package} are not here: pip install --no-deps {package}")
    relative = Path(*name.split(".")[1:])
    file = folder / relative.with_suffix(".py")
    if not file.is_file():
        file = folder / relative / "__init__.py"
    for loaded in [key for key in sys.modules if key.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setattr(sys, "meta_path", [_Finder({package, *stands_in}), *sys.meta_path])
    for module, names in others.items():
        dotted = module.replace("__", ".")
        stand_in = importlib.import_module(dotted)
        for key, value in names.items():
            setattr(stand_in, key, value)
    inside = [] if file.stem == "__init__" else None
    found = importlib.util.spec_from_file_location(name, file, submodule_search_locations=inside)
    loaded = importlib.util.module_from_spec(found)
    sys.modules[name] = loaded
    found.loader.exec_module(loaded)
    return loaded


def forget(package):
    """Drop what was loaded of an engine, stand-ins included."""
    for key in [key for key in sys.modules if key.split(".")[0] == package]:
        del sys.modules[key]
