"""Doing things in an order: each after what it needs, all others at the same time."""

from __future__ import annotations

import sys
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def run_in_order(
    needs: Mapping[str, set[str]], work: Callable[[str], bool], together: int, rank: Callable[[str], int] = len
) -> None:
    """
    Work through a graph; what needs something that failed is left out.

    An interrupt begins nothing more, and does not wait for what is in flight.

    Args:
        needs: for each node, the nodes that must be done before it.
        work: does one node; False when it failed.
        together: how many at the same time.
        rank: which of those that could start at the same time starts first.

    Raises:
        UserError: the needs go round in a circle; nothing has been done then.
    """
    order = TopologicalSorter(needs)
    try:
        order.prepare()
    except CycleError as error:
        raise UserError(f"these need each other: {', '.join(error.args[1])}") from None
    running: dict[Future[bool], str] = {}
    pool = ThreadPoolExecutor(together)
    try:
        while order.is_active():
            running |= {pool.submit(work, node): node for node in sorted(order.get_ready(), key=rank)}
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                node = running.pop(future)
                if future.result():
                    order.done(node)
    finally:
        pool.shutdown(wait=not isinstance(sys.exception(), KeyboardInterrupt), cancel_futures=True)
