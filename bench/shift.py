"""
From a changed weight to the last proxy that has it: `up` over a bare `kubectl apply` of the same VirtualServices.

Both sides shift one mesh by turns, each time to another weight, and are done when the ingress gateways and the
helloworld sidecars of all clusters have it in their routes.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from bench import mesh
from bench.stats import Comparison, Sample, Side
from bench.timing import ROOT, alternate, take
from config.base import NAMESPACE
from errors import UserError
from lab.engines import INSTALL_ROOT, Engine
from lab.machine import lock
from lab.stacks import STACK
from lab.standin import stack as lab_stack
from mesh import names
from ops import stack
from ops.cluster import connect
from ops.cluster.calls import ApiError
from ops.cluster.sidecar import see_splits
from recorder.values import Properties

MAX_ARRIVAL_SECONDS = 1.0
VIRTUAL_SERVICE = "kubernetes:networking.istio.io/v1:VirtualService"
WEIGHTS = range(20, 80)
PROXIES = ((names.ISTIO_NAMESPACE, f"app={names.INGRESS_GATEWAY}"), (names.APP_NAMESPACE, f"app={names.HELLOWORLD}"))
PATIENCE_SECONDS = 60
LOOK_SECONDS = 0.1
NOT_COPIED = (".*", "__pycache__", "bench", "docs", "tests", "venv")

Look = Callable[[], tuple[Mapping[str, int], ...]]
"""Reads the weighted routes that one proxy has."""


@dataclass(frozen=True)
class Shift:
    """One shift: the command, and what it took after its end until the last proxy had the weight."""

    command: Sample
    arrival: Sample


@dataclass(frozen=True)
class Shifts:
    """What was measured; `total` is `command` with `arrival` after it."""

    total: Comparison
    command: Comparison
    arrival: Comparison


def measure(found: mesh.Found, pairs: int, engine: Engine, tell: Callable[[str], None]) -> Shifts:
    """
    Compare the two ways.

    Args:
        found: What the clusters hold, which is no mesh.
        pairs: How many shifts of each.
        engine: Who carries the program out.
        tell: Is told what goes on.

    Raises:
        UserError: A command failed, or a proxy did not get the weight.
    """
    shifts: dict[Side, list[Shift]] = {side: [] for side in Side}
    with TemporaryDirectory() as name, mesh.installed(found, engine, tell):
        folder = Path(name)
        checkout = copy_checkout(folder / "checkout")
        looks = find_proxies()
        for (pair, side), weight in zip(alternate(pairs), cycle(WEIGHTS), strict=False):
            tell(f"pair {pair} of {pairs}, {side}: to {weight} %")
            change = by_program(checkout, weight, engine) if side is Side.OURS else by_hand(folder, weight)
            shifts[side].append(
                Shift(
                    command=take(change, mesh.clusters_cpu),
                    arrival=take(partial(wait_for, weight, looks), mesh.clusters_cpu),
                )
            )
    return Shifts(
        total=Comparison.of({side: [each.command + each.arrival for each in shifts[side]] for side in Side}),
        command=Comparison.of({side: [each.command for each in shifts[side]] for side in Side}),
        arrival=Comparison.of({side: [each.arrival for each in shifts[side]] for side in Side}),
    )


def copy_checkout(folder: Path) -> Path:
    """Copy what an `up` takes, so that no weight is written into the checkout itself; returns the folder."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
    (folder / ".venv").symlink_to(sys.prefix)
    tools = INSTALL_ROOT.parent.relative_to(ROOT)
    if (ROOT / tools).exists():
        (folder / tools).symlink_to(ROOT / tools)
    return folder


def by_program(checkout: Path, weight: int, engine: Engine) -> Callable[[], None]:
    """Change the stack's config; gives the `up` that is measured."""
    file = checkout / f"Pulumi.{STACK}.yaml"
    document = yaml.safe_load(file.read_text())
    document["config"][f"{NAMESPACE}:v2Weight"] = weight
    file.write_text(yaml.safe_dump(document))
    return lambda: mesh.deploy("up", engine, checkout)


def by_hand(folder: Path, weight: int) -> Callable[[], None]:
    """Write the VirtualServices of that weight; gives their `kubectl apply`, all side by side."""
    kubeconfigs = {cluster.name: path for cluster, path in mesh.accesses(stack.load(STACK, ROOT))}
    applies = []
    for cluster, manifest in virtual_services(lab_stack.load(ROOT, STACK).config, weight):
        name, kubeconfig = manifest["metadata"]["name"], kubeconfigs[cluster]
        file = folder / f"{cluster}-{name}.json"
        file.write_text(json.dumps(manifest))
        # As the engine: fields of another owner would be a conflict to the next `up`.
        owner = f"--field-manager={find_manager(kubeconfig, name)}"
        applies.append(partial(mesh.kubectl, kubeconfig, "apply", "--server-side", owner, f"--filename={file}"))

    def apply() -> None:
        with lock.held(), ThreadPoolExecutor(len(applies)) as together:
            for done in [together.submit(each) for each in applies]:
                done.result()

    return apply


def virtual_services(config: Mapping[str, str], weight: int) -> Iterator[tuple[str, Properties]]:
    """Ask the program for its VirtualServices at a weight; each with its cluster."""
    for cluster, registration in mesh.registered({**config, f"{NAMESPACE}:v2Weight": str(weight)}, VIRTUAL_SERVICE):
        yield cluster, registration.inputs


def find_manager(kubeconfig: Path, name: str) -> str:
    """
    Read who applies a VirtualService; on Pulumi each resource has a field manager of its own.

    Raises:
        UserError: Nobody does, or more than one.
    """
    options = (f"--namespace={names.APP_NAMESPACE}", "--show-managed-fields", "--output=json")
    fields = json.loads(mesh.kubectl(kubeconfig, "get", "virtualservice", name, *options))["metadata"]["managedFields"]
    managers = [each["manager"] for each in fields if each["operation"] == "Apply"]
    if len(managers) != 1:
        raise UserError(f"VirtualService {name} is applied by {', '.join(managers) or 'nobody'}, and not by one alone")
    return str(managers[0])


def find_proxies() -> list[Look]:
    """Find the proxies that split the traffic, on all of the lab's clusters."""
    apis = connect.connect(stack.load(STACK, ROOT), STACK, ROOT).values()
    return [
        partial(see_splits, api, namespace, pod.name)
        for api in apis
        for namespace, selector in PROXIES
        for pod in api.pods(namespace, selector)
    ]


def wait_for(weight: int, looks: list[Look]) -> None:
    """
    Wait until every proxy has the weight in all of its routes to helloworld, of which it has one at least.

    Raises:
        UserError: One did not get it in time, or gives no answer.
    """
    wanted = {"v1": 100 - weight, "v2": weight}
    until = Retrying(
        retry=retry_if_result(lambda splits: not splits or any(split != wanted for split in splits)),
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_fixed(LOOK_SECONDS),
    )
    try:
        for look in looks:
            until(look)
    except RetryError:
        raise UserError(f"a proxy did not get {weight} % for v2 within {PATIENCE_SECONDS} s") from None
    except ApiError as error:
        raise UserError(str(error)) from None
