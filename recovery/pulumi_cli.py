"""Calls Pulumi's command line for one stack, and settles what a killed run left."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from errors import UserError
from recovery import pending


@dataclass(frozen=True, kw_only=True)
class PulumiCli:
    """How to call Pulumi for one stack."""

    executable: str
    stack: str
    root: Path
    """The folder of Pulumi.yaml."""
    environment: Mapping[str, str] = field(repr=False)
    config_file: Path | None = None
    """Used instead of Pulumi.<stack>.yaml."""
    keeps: tuple[int, ...] = ()
    """File descriptors that Pulumi inherits, such as a lock that must outlive its caller."""
    output: int | None = None
    """The file descriptor of what Pulumi prints; `None` for standard output."""

    def run(self, command: str, *arguments: str) -> int:
        """Run a command that reads the program, with this terminal; returns Pulumi's exit code."""
        config = ["--config-file", str(self.config_file)] if self.config_file else []
        return self._call([command, *config, *arguments]).returncode

    def export(self) -> Mapping[str, Any]:
        """
        Read the stack's state, in which secrets are encrypted.

        Raises:
            UserError: Pulumi exports none.
        """
        done = self._call(["stack", "export"], stdout=subprocess.PIPE)
        self._must("stack export", done.returncode)
        state: Mapping[str, Any] = json.loads(done.stdout)
        return state

    def unlock(self) -> None:
        """Remove the backend's lock, which a killed run leaves; the caller must know that no run is alive."""
        self._call(["cancel", "--yes"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def recover(self) -> Sequence[str]:
        """
        Settle what a killed run had begun, and return the URNs.

        Kubernetes objects of this project have fixed names: one that was being created is deleted if it exists. The
        next `up` creates it again, as all else that was being created.

        Raises:
            UserError: Pulumi fails.
        """
        settlement = pending.settle(self.export())
        if not settlement.urns:
            return ()
        self._must("stack import", self._call(["stack", "import"], given=json.dumps(settlement.state)).returncode)
        for command, urns in (("refresh", settlement.refresh), ("destroy", settlement.delete)):
            if urns:
                targets = [part for urn in urns for part in ("--target", urn)]
                self._must(command, self.run(command, "--yes", "--skip-preview", *targets))
        return settlement.urns

    def _must(self, command: str, code: int) -> None:
        if code:
            raise UserError(
                f"`pulumi {command} --stack {self.stack}` failed with exit code {code}",
                f"If it names a lock that a killed run left, and no run is alive: `pulumi cancel --stack {self.stack}`",
            )

    def _call(
        self,
        arguments: Sequence[str],
        *,
        given: str | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> subprocess.CompletedProcess[str]:
        command = [self.executable, *arguments, "--stack", self.stack, "--non-interactive"]
        return subprocess.run(  # noqa: S603 - a fixed command without a shell
            command,
            cwd=self.root,
            env=dict(self.environment),
            input=given,
            stdout=self.output if stdout is None else stdout,
            stderr=stderr,
            text=True,
            pass_fds=self.keeps,
            check=False,
        )
