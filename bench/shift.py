"""
From a changed weight to the last proxy that has it: `up` compared with `kubectl apply` of the same VirtualServices.

Both sides alternately shift one mesh, each time to another weight. A shift is complete when the ingress gateways and
the helloworld sidecars of all clusters have the weight in their routes.
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
TIMEOUT_SECONDS = 60
LOOK_SECONDS = 0.1
NOT_COPIED = (".*", "__pycache__", "bench", "docs", "tests", "venv")

Look = Callable[[], tuple[Mapping[str, int], ...]]
"""A function that reads the weighted routes of one proxy."""


@dataclass(frozen=True)
class Shift:
    """One shift: the command, and the time from its end until the last proxy has the weight."""

    command: Sample
    arrival: Sample


@dataclass(frozen=True)
class Shifts:
    """The measurements; `total` is `command` plus `arrival`."""

    total: Comparison
    command: Comparison
    arrival: Comparison


def measure(found: mesh.Found, pairs: int, engine: Engine, report: Callable[[str], None]) -> Shifts:
    """
    Compare the program with the steps by hand.

    Args:
        found: The objects of the empty clusters.
        pairs: The number of shifts of each side.
        engine: The engine that runs the program.
        report: Receives the progress.

    Raises:
        UserError: A command failed, or a proxy did not receive the weight.
    """
    shifts: dict[Side, list[Shift]] = {side: [] for side in Side}
    with TemporaryDirectory() as name, mesh.installed(found, engine, report):
        folder = Path(name)
        checkout = copy_checkout(folder / "checkout")
        looks = find_proxies()
        for (pair, side), weight in zip(alternate(pairs), cycle(WEIGHTS), strict=False):
            report(f"pair {pair} of {pairs}, {side}: to {weight} %")
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
    """Copy the files that `up` needs, so that the checkout stays unchanged; return the new folder."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
    (folder / ".venv").symlink_to(sys.prefix)
    tools = INSTALL_ROOT.parent.relative_to(ROOT)
    if (ROOT / tools).exists():
        (folder / tools).symlink_to(ROOT / tools)
    return folder


def by_program(checkout: Path, weight: int, engine: Engine) -> Callable[[], None]:
    """Set the weight in the stack's config; return the `up` to measure."""
    file = checkout / f"Pulumi.{STACK}.yaml"
    document = yaml.safe_load(file.read_text())
    document["config"][f"{NAMESPACE}:v2Weight"] = weight
    file.write_text(yaml.safe_dump(document))
    return lambda: mesh.deploy("up", engine, checkout)


def by_hand(folder: Path, weight: int) -> Callable[[], None]:
    """Write the VirtualServices with the weight; return their `kubectl apply`, which run in parallel."""
    kubeconfigs = {cluster.name: path for cluster, path in mesh.accesses(stack.load(STACK, ROOT))}
    applies = []
    for cluster, manifest in virtual_services(lab_stack.load(ROOT, STACK).config, weight):
        name, kubeconfig = manifest["metadata"]["name"], kubeconfigs[cluster]
        file = folder / f"{cluster}-{name}.json"
        file.write_text(json.dumps(manifest))
        # With the engine's field manager, because another owner would be a conflict for the next `up`.
        owner = f"--field-manager={find_manager(kubeconfig, name)}"
        applies.append(partial(mesh.kubectl, kubeconfig, "apply", "--server-side", owner, f"--filename={file}"))

    def apply() -> None:
        with lock.held(), ThreadPoolExecutor(len(applies)) as together:
            for done in [together.submit(each) for each in applies]:
                done.result()

    return apply


def virtual_services(config: Mapping[str, str], weight: int) -> Iterator[tuple[str, Properties]]:
    """Yield the program's VirtualServices with a weight, each with its cluster."""
    for cluster, registration in mesh.registered({**config, f"{NAMESPACE}:v2Weight": str(weight)}, VIRTUAL_SERVICE):
        yield cluster, registration.inputs


def find_manager(kubeconfig: Path, name: str) -> str:
    """
    Return the field manager of a VirtualService; Pulumi has a separate one for each resource.

    Raises:
        UserError: It has no field manager, or more than one.
    """
    options = (f"--namespace={names.APP_NAMESPACE}", "--show-managed-fields", "--output=json")
    fields = json.loads(mesh.kubectl(kubeconfig, "get", "virtualservice", name, *options))["metadata"]["managedFields"]
    managers = [each["manager"] for each in fields if each["operation"] == "Apply"]
    if len(managers) != 1:
        raise UserError(
            f"VirtualService {name} needs exactly one field manager, but has: {', '.join(managers) or 'none'}"
        )
    return str(managers[0])


def find_proxies() -> list[Look]:
    """Return the proxies of all clusters of the lab that split the traffic."""
    apis = connect.connect(stack.load(STACK, ROOT), STACK, ROOT).values()
    return [
        partial(see_splits, api, namespace, pod.name)
        for api in apis
        for namespace, selector in PROXIES
        for pod in api.pods(namespace, selector)
    ]


def wait_for(weight: int, looks: list[Look]) -> None:
    """
    Wait until every proxy has at least one route to helloworld, and the weight in all of them.

    Raises:
        UserError: A proxy did not receive the weight in time, or does not answer.
    """
    target = {"v1": 100 - weight, "v2": weight}
    until = Retrying(
        retry=retry_if_result(lambda splits: not splits or any(split != target for split in splits)),
        stop=stop_after_delay(TIMEOUT_SECONDS),
        wait=wait_fixed(LOOK_SECONDS),
    )
    try:
        for look in looks:
            until(look)
    except RetryError:
        raise UserError(f"A proxy did not receive {weight} % for v2 within {TIMEOUT_SECONDS} s") from None
    except ApiError as error:
        raise UserError(str(error)) from None
