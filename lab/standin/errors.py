"""The one error that ends a run of the stand-in with a message instead of a traceback."""

from __future__ import annotations


class EngineError(Exception):
    """Something that a person can understand and mend; its text never holds a secret."""
