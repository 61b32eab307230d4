"""Runs work in the order of a dependency graph, in parallel where possible."""

from __future__ import annotations

import sys
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def run_in_order(needs: Mapping[str, set[str]], work: Callable[[str], bool], together: int) -> None:
    """
    Process the nodes of a graph, without those that depend on a failed one.

    After an interrupt no further node starts, and running ones are not awaited.

    Args:
        needs: For each node, the nodes that must be complete before it.
        work: Processes one node and returns whether it succeeded.
        together: The maximum number of nodes in parallel.

    Raises:
        UserError: The graph has a cycle; nothing was processed.
    """
    order = TopologicalSorter(needs)
    try:
        order.prepare()
    except CycleError as error:
        raise UserError(f"these depend on each other: {', '.join(error.args[1])}") from None
    running: dict[Future[bool], str] = {}
    pool = ThreadPoolExecutor(together)
    try:
        while order.is_active():
            running |= {pool.submit(work, node): node for node in order.get_ready()}
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                node = running.pop(future)
                if future.result():
                    order.done(node)
    finally:
        pool.shutdown(wait=not isinstance(sys.exception(), KeyboardInterrupt), cancel_futures=True)
