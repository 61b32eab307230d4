"""One run of the stand-in: preview, up or destroy."""

from __future__ import annotations

import traceback
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

import pulumi

from errors import UserError
from lab.build import toolchain
from lab.standin.clusters import Clusters
from lab.standin.deletion import Deletion, refuse_protected
from lab.standin.ledger import Ledger
from lab.standin.plan import Change, Step
from lab.standin.rancher_servers import RancherServers
from lab.standin.standin import StandIn
from lab.standin.state import Entry, State, locked
from recorder.program import run_program
from recorder.values import Secret

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

    from lab.standin.clusters import Place
    from lab.standin.display import Display
    from lab.standin.stack import Stack


@dataclass(frozen=True)
class Run:
    """A run on a locked stack."""

    folder: Path
    """The folder of `__main__.py`."""
    stack: Stack
    state: State
    clusters: Clusters
    servers: RancherServers
    display: Display

    def preview(self) -> bool:
        """Show what `up` would change; return whether the program ran without a failure."""
        standin, failures = self._run_program(preview=True)
        targets = self._obsolete(standin)
        deletion = Deletion(self.state, self.display, self.clusters, self.servers, standin.claimed)
        try:
            refuse_protected(targets)
            for urn, entry in targets.items() if not failures else ():
                self.display.change(Change(urn=urn, step=Step.DELETE, note=deletion.reason_to_keep(entry)))
        except UserError as error:
            failures.append(str(error))
        self.display.finish(standin.exports, failures)
        return not failures

    def up(self) -> bool:
        """Apply the program, then delete resources that it no longer declares; return whether all succeeded."""
        standin, failures = self._run_program(preview=False)
        if not failures:
            failures = self._delete(self._obsolete(standin), standin.claimed)
        self.display.finish(standin.exports, failures)
        return not failures

    def destroy(self, *, unprotect: bool) -> bool:
        """Delete all resources in the state; return whether all deletions succeeded."""
        targets = self.state.entries()
        if unprotect:
            targets = {urn: replace(entry, protect=False) for urn, entry in targets.items()}
        failures = self._delete(targets)
        self.display.finish({}, failures)
        return not failures

    def _run_program(self, *, preview: bool) -> tuple[StandIn, list[str]]:
        standin = StandIn(
            project=self.stack.project,
            stack=self.stack.name,
            ledger=Ledger(self.state, self.display, preview=preview),
            clusters=self.clusters,
            servers=self.servers,
            helm_binary=_Helm(self.display).path,
        )
        program = self.folder / "__main__.py"
        if not program.is_file():
            return standin, [f"{program} does not exist"]
        try:
            run_program(program, standin, {**self.stack.config, **self.stack.secrets}, tuple(self.stack.secrets))
        except Exception as error:  # noqa: BLE001 - the program may raise anything, and no traceback is to be shown
            failures = [f"{urn.rpartition('::')[2]}: {text}" for urn, text in standin.failures.items()]
            return standin, failures or [self._explain(error)]
        return standin, [f"{urn.rpartition('::')[2]}: {text}" for urn, text in standin.failures.items()]

    def _explain(self, error: Exception) -> str:
        if isinstance(error, pulumi.RunError | UserError):
            return str(error)
        own = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename.startswith(str(self.folder.resolve())) and "/site-packages/" not in frame.filename
        ]
        where = f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
        return f"the program failed: {type(error).__name__}: {error}{where}"

    def _obsolete(self, standin: StandIn) -> dict[str, Entry]:
        entries = self.state.entries()
        renamed = {alias for registration in standin.registrations.values() for alias in registration.aliases}
        return {urn: entry for urn, entry in entries.items() if urn not in renamed and urn not in standin.registrations}

    def _delete(self, targets: dict[str, Entry], claimed: Container[Place] = frozenset()) -> list[str]:
        deletion = Deletion(self.state, self.display, self.clusters, self.servers, claimed)
        try:
            deletion.run(targets)
        except UserError as error:
            return [str(error)]
        return [f"{urn.rpartition('::')[2]}: {text}" for urn, text in deletion.failures.items()]


@contextmanager
def begin(stack: Stack, folder: Path, state_dir: Path, display: Display) -> Iterator[Run]:
    """
    Lock a stack, open its state, and yield a run.

    Raises:
        UserError: Another run uses the stack, or the state cannot be read.
    """
    with locked(stack.name, state_dir):
        display.hide([Secret(text) for text in stack.secrets.values()])
        state = State.load(stack.name, state_dir)
        for entry in state.entries().values():
            display.hide([entry.inputs, entry.outputs])
        with closing(RancherServers(state)) as servers:
            yield Run(folder, stack, state, Clusters(state), servers, display)


class _Helm:
    """The toolchain's helm, looked up once and only if the program has charts."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._lock = Lock()

    def path(self) -> Path:
        with self._lock:
            return self._path

    @cached_property
    def _path(self) -> Path:
        return toolchain.ensure(self._display.progress, "helm").binary("helm")
