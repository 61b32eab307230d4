"""Shared by the tests of the stand-in."""

import pytest
from rich.progress import Progress

from lab.build import toolchain


@pytest.fixture(autouse=True)
def _no_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test build the lab's programs: that takes minutes, and Go, which `make test` does without."""

    def refuse(_progress: Progress) -> toolchain.Toolchain:
        raise AssertionError("a unit test would build the lab's programs")

    monkeypatch.setattr(toolchain, "ensure", refuse)
