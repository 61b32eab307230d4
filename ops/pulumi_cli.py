"""Pulumi's command line for one stack: who calls it, with which backend, and what a killed run left behind."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.errors import OpsError

KUBERNETES = "kubernetes:"
COMPONENTS = ("kubernetes:helm.sh/v4:Chart",)


@dataclass(frozen=True, kw_only=True)
class PulumiCli:
    """How to call Pulumi for one stack."""

    executable: str
    stack: str
    root: Path
    """The folder of Pulumi.yaml."""
    environment: Mapping[str, str] = field(repr=False)
    config_file: Path | None = None
    """Read in place of Pulumi.<stack>.yaml."""
    keeps: tuple[int, ...] = ()
    """File descriptors that Pulumi inherits, such as a lock that must outlive its caller."""

    def run(self, command: str, *arguments: str) -> int:
        """Run a command that reads the program, with this terminal; returns Pulumi's exit code."""
        config = ["--config-file", str(self.config_file)] if self.config_file else []
        return self._call([command, *config, *arguments]).returncode

    def export(self) -> Mapping[str, Any]:
        """
        Read the stack's state, in which secrets are encrypted.

        Raises:
            OpsError: Pulumi gives none.
        """
        done = self._call(["stack", "export"], stdout=subprocess.PIPE)
        if done.returncode:
            raise OpsError(f"`pulumi stack export --stack {self.stack}` failed with exit code {done.returncode}")
        state: Mapping[str, Any] = json.loads(done.stdout)
        return state

    def unlock(self) -> None:
        """Remove the backend's lock, which a killed run leaves; only the caller can know that no run is alive."""
        self._call(["cancel", "--yes"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def recover(self) -> Sequence[str]:
        """
        Settle what a killed run had begun, and return the URNs.

        Pulumi notes each create before it begins. Kubernetes objects of this project have fixed names, so whether one
        came to be can be looked up, and it is adopted then; anything else is made again by the next `up`.

        Raises:
            OpsError: Pulumi cannot.
        """
        deployment = self.export().get("deployment") or {}
        pending = deployment.get("pending_operations") or []
        if not pending:
            return ()
        urns = [operation["resource"]["urn"] for operation in pending]
        arguments = [part for urn in urns for part in ("--target", urn)]
        for operation in pending:
            known = kubernetes_id(operation["resource"])
            if operation["type"] == "creating" and known:
                for part in (operation["resource"]["urn"], known):
                    arguments += ["--import-pending-creates", part]
        code = self.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates", *arguments)
        if code:
            raise OpsError(f"`pulumi refresh --stack {self.stack}` failed with exit code {code}")
        return urns

    def _call(
        self, arguments: Sequence[str], *, stdout: int | None = None, stderr: int | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        command = [self.executable, *arguments, "--stack", self.stack, "--non-interactive"]
        return subprocess.run(  # noqa: S603 - a fixed command without a shell
            command,
            cwd=self.root,
            env=dict(self.environment),
            stdout=stdout,
            stderr=stderr,
            pass_fds=self.keeps,
            check=False,
        )


def kubernetes_id(resource: Mapping[str, Any]) -> str | None:
    """The id that pulumi-kubernetes gives to an object with a fixed name; `None` for anything else."""
    kind = str(resource["type"])
    if not kind.startswith(KUBERNETES) or kind in COMPONENTS:
        return None
    metadata = resource.get("inputs", {}).get("metadata", {})
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not name:
        return None
    return f"{namespace}/{name}" if namespace else str(name)
