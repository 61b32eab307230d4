"""Runs the program for a stack file or for a config of a test."""

import base64
import json
import runpy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import pulumi
import yaml

from recorder.program import run_function
from tests.support.leaks import fake_secret
from tests.support.preflight import TODAY, answer, find_by_config, find_charts
from tests.support.recording import RecordingMonitor

ROOT = Path(__file__).parents[2]
LAB = "lab"
RANCHER = "mcsps-test"
OPERATOR = "operator"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack's whole config, by key without `mcsps:`; a change returns another stack."""

    name: str
    values: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict)

    def changed(self, **values: object) -> Self:
        """Return the stack with other values at the top level; None removes one."""
        merged = {**self.values, **values}
        return replace(self, values={key: value for key, value in merged.items() if value is not None})

    def run(self, *, preview: bool = False) -> RecordingMonitor:
        """Run `__main__.py` and record what it registers."""
        monitor = RecordingMonitor(preview=preview, stack=self.name)
        self.run_on(monitor)
        return monitor

    def run_on(self, monitor: RecordingMonitor, body: Callable[[], None] | None = None) -> None:
        """Run `__main__.py`, or a part of it, on a monitor that a test can read even if the run raises."""
        config = {f"mcsps:{key}": as_text(value) for key, value in {**self.values, **self.secrets}.items()}
        secret_keys = tuple(f"mcsps:{key}" for key in self.secrets)
        run_function(body or _compose, monitor, config, secret_keys)


def _compose() -> None:
    """Run `__main__.py` as Pulumi does, on the tests' date and with doubles of what it queries."""
    program = runpy.run_path(str(ROOT / "__main__.py"), run_name="program")
    pulumi.run(lambda: program["compose"](TODAY, find_by_config, answer, find_charts))


def as_text(value: object) -> str:
    """Return a config value as Pulumi passes it to a program."""
    return value if isinstance(value, str) else json.dumps(value)


def load_values(stack: str) -> dict[str, Any]:
    """Return a stack file's plain values."""
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key.removeprefix("mcsps:"): value for key, value in config.items() if key.startswith("mcsps:")}


def lab_stack(folder: Path, names: Iterable[str] | None = None) -> Stack:
    """
    Return the lab's stack with fake kubeconfigs.

    Args:
        folder: The folder for the kubeconfigs.
        names: Clusters to use instead of the file's, each with both versions.
    """
    values = load_values(LAB)
    if names is not None:
        values["clusters"] = [
            {"name": name, "network": f"network-{name}", "versions": ["v1", "v2"], "access": {"kind": "kubeconfig"}}
            for name in names
        ]
    for number, cluster in enumerate(values["clusters"], start=10):
        path = folder / f"{cluster['name']}.yaml"
        path.write_text(kubeconfig(cluster["name"], server=f"https://198.18.0.{number}:6443"))
        cluster["access"]["path"] = str(path)
    return Stack(name=LAB, values=values)


def in_regions(stack: Stack, *regions: str) -> Stack:
    """Return the stack with its clusters in these regions, in order."""
    clusters = [
        {**cluster, "locality": {"region": region}}
        for cluster, region in zip(stack.values["clusters"], regions, strict=True)
    ]
    return stack.changed(clusters=clusters)


def rancher_stack() -> Stack:
    """Return the stack of the two Rancher clusters."""
    return Stack(name=RANCHER, values=load_values(RANCHER), secrets={"rancherToken": fake_secret("token of a user")})


def operator_stack() -> Stack:
    """Return the stack of the two Rancher clusters with the first installation: Istio 1.12.0 by its operator."""
    stack = rancher_stack()
    return stack.changed(istio={**stack.values["istio"], "installer": "operator", "version": "1.12.0", "tag": "1.12.0"})


def kubeconfig(name: str, *, server: str = "https://198.18.0.10:6443", ca_pem: str | None = None) -> str:
    """Return a kubeconfig with a fake token."""
    ca = {"certificate-authority-data": base64.b64encode(ca_pem.encode()).decode()} if ca_pem else {}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": server, **ca}}],
            "users": [{"name": name, "user": {"token": fake_secret(f"kubeconfig of {name}")}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )
