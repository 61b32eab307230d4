"""
Runs a Pulumi program against a monitor, in this process.

The program sees the same project, stack and config as under Pulumi's engine. Nothing of it remains in the process.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import runpy
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Never

from pulumi.runtime.config import set_all_config
from pulumi.runtime.mocks import MockEngine, MockSettings
from pulumi.runtime.settings import configure
from pulumi.runtime.stack import run_in_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pulumi import ErrorHook, ResourceHook

    from recorder.monitor import Monitor

PARALLEL: Final = 40
"""Registrations that are applied at the same time; most of them wait for a cluster."""


def run_program(
    program: Path,
    monitor: Monitor,
    config: Mapping[str, str],
    secret_keys: tuple[str, ...] = (),
) -> None:
    """
    Run `program` (a file) to its end; no registration is in flight when this returns.

    The program's `pulumi.log` goes to this module's logger. An interrupt does not wait for what is in flight.

    Args:
        program: The path of a `__main__.py`.
        monitor: Receives all registrations, and knows project, stack and mode.
        config: Full keys (`mcsps:mesh`) and their values; objects as JSON text.
        secret_keys: The keys among them that hold secrets.

    Raises:
        Exception: The first exception of the program or of the monitor.
    """
    run_function(lambda: _execute(program), monitor, config, secret_keys)


def run_function(
    body: Callable[[], None],
    monitor: Monitor,
    config: Mapping[str, str],
    secret_keys: tuple[str, ...] = (),
) -> None:
    """Run a function as `run_program` runs a file; for tests of a part of a program."""
    contextvars.copy_context().run(_run, body, monitor, config, secret_keys)


def _run(body: Callable[[], None], monitor: Monitor, config: Mapping[str, str], secret_keys: tuple[str, ...]) -> None:
    # A failed program leaves futures unobserved on purpose, as it does under Pulumi.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    set_all_config(dict(config), list(secret_keys))
    executor = ThreadPoolExecutor(PARALLEL, thread_name_prefix="engine")
    loop = asyncio.new_event_loop()
    loop.set_default_executor(executor)
    asyncio.set_event_loop(loop)
    # What `pulumi.runtime.set_mocks` does, but for the root resource that it makes: that one's
    # outputs are closed at once, and the program's exports need one that stays open to its end.
    configure(
        MockSettings(  # type: ignore[no-untyped-call]
            monitor=monitor,
            engine=MockEngine(logging.getLogger(__name__)),
            project=monitor.project,
            stack=monitor.stack,
            dry_run=monitor.preview,
            organization=None,
            callbacks=_Callbacks(),
            # Shared by all runs of a process otherwise: a failed one would leave its own behind.
            lock=threading.Lock(),
            outputs=set(),
            package_refs={},
            base_providers_by_ref={},
        )
    )
    try:
        loop.run_until_complete(run_in_stack(body))
    finally:
        _settle(loop)
        is_interrupted = isinstance(sys.exception(), KeyboardInterrupt)
        executor.shutdown(wait=not is_interrupted, cancel_futures=True)
        asyncio.set_event_loop(None)
        loop.close()


class _Callbacks:
    """
    Accepts hooks and runs none: only an engine does, through a server that the SDK would start for each program.

    All other callbacks are refused by name.
    """

    def register_resource_hook(self, hook: ResourceHook) -> None:
        """Accept a hook."""

    def register_error_hook(self, hook: ErrorHook) -> None:
        """Accept a hook for errors."""

    def __getattr__(self, name: str) -> Never:
        raise NotImplementedError(f"{name} is not supported here")


def _settle(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the tasks that a failed program left, without an error of their own."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def _execute(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")
