"""An extension of the reference: cross-references of docstrings become links or code."""

import re
from typing import Any

from griffe import Extension

ROLE = re.compile(r":(?:func|class|meth|mod|attr|data):`~?([^`]+)`")


class Roles(Extension):
    """Turn Sphinx's roles, which every editor knows, into code on the site."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring is not None:
            text = ROLE.sub(r"`\1`", obj.docstring.value)
            obj.docstring.value = text.replace("``", "`")
