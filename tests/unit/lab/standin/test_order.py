"""Work in the order of a dependency graph."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from errors import UserError
from lab.standin.order import run_in_order


def test_each_node_comes_after_what_it_needs() -> None:
    """With a limit of one, the nodes run one after another."""
    done: list[str] = []
    needs = {"c": {"a", "b"}, "b": {"a"}, "a": set[str]()}
    run_in_order(needs, lambda node: not done.append(node), 1)  # type: ignore[func-returns-value]
    assert done == ["a", "b", "c"]


def test_what_needs_a_failed_node_is_left_out() -> None:
    """All other nodes are processed."""
    done: list[str] = []

    def work(node: str) -> bool:
        done.append(node)
        return node != "broken"

    run_in_order({"after": {"broken"}, "broken": set(), "other": set()}, work, 2)
    assert sorted(done) == ["broken", "other"]


def test_a_circle_is_an_error_that_names_it() -> None:
    """The error comes before anything is processed."""
    with pytest.raises(UserError, match=r"these depend on each other: .*a"):
        run_in_order({"a": {"b"}, "b": {"a"}}, lambda _: pytest.fail("done"), 1)


def test_an_interrupt_begins_nothing_more_and_does_not_wait() -> None:
    """Queued nodes do not start, and running ones may take minutes."""
    begun: list[str] = []
    ended: list[bool] = []
    release = threading.Event()

    def work(node: str) -> bool:
        begun.append(node)
        time.sleep(0.1)  # the other nodes are queued in this time
        os.kill(os.getpid(), signal.SIGINT)
        ended.append(release.wait(5))
        return True

    try:
        with pytest.raises(KeyboardInterrupt):
            run_in_order({node: set() for node in "abc"}, work, 1)
        assert ended == []
    finally:
        release.set()
        for thread in threading.enumerate():
            if thread.name.startswith("ThreadPoolExecutor"):
                thread.join(10)
    assert begun == ["a"]
