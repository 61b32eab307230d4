"""Fixtures of the stand-in's tests."""

import pytest
from rich.progress import Progress

from lab.build import toolchain


@pytest.fixture(autouse=True)
def _no_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail builds of the lab's programs, which take minutes and need Go; `make test` has no Go."""

    def refuse(_progress: Progress) -> toolchain.Toolchain:
        raise AssertionError("a unit test would build the lab's programs")

    monkeypatch.setattr(toolchain, "ensure", refuse)
