"""A weight that both sides shift alternately, and the proxies that receive it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from bench import mesh, shift
from bench.program import program_config
from bench.stats import wall
from config.parsing import parse
from errors import UserError
from lab.engines import Engine
from lab.machine import lock
from lab.stacks import STACK
from lab.standin import stack as lab_stack
from ops import stack
from ops.cluster.calls import ApiError
from tests.support.stacks import ROOT

STACK_FILE = f"Pulumi.{STACK}.yaml"
OWNER = "pulumi-kubernetes-5f"
CLUSTERS = ("cluster-0", "cluster-1")


class LabDouble:
    """Two clusters whose proxies have each weight at once; it records each shift with its side."""

    def __init__(self) -> None:
        """Start with the lab's weight."""
        self.routes = {(cluster, name): 10 for cluster in CLUSTERS for name in ("helloworld", "helloworld-mesh")}
        self.said: list[str] = []
        self.shifts: list[tuple[str, int]] = []
        self.owners = [OWNER]

    @contextmanager
    def installed(self, _found: mesh.Found, _engine: Engine, _report: object) -> Iterator[None]:
        """Install and remove a mesh."""
        self.said.append("up")
        yield
        self.said.append("destroy")

    def deploy(self, command: str, engine: Engine, folder: Path) -> None:
        """Run `up` with the stack file of a checkout."""
        assert (command, engine) == ("up", Engine.PULUMI)
        assert (folder / "__main__.py").is_file()
        weight = yaml.safe_load((folder / STACK_FILE).read_text())["config"]["mcsps:v2Weight"]
        self.shifts.append(("up", weight))
        self.routes = dict.fromkeys(self.routes, weight)

    def kubectl(self, kubeconfig: Path, command: str, *arguments: str) -> str:
        """Apply a VirtualService, or return its field managers."""
        if command == "get":
            return json.dumps(
                {
                    "metadata": {
                        "managedFields": [
                            *({"manager": owner, "operation": "Apply"} for owner in self.owners),
                            {"manager": "pilot-discovery", "operation": "Update", "subresource": "status"},
                        ]
                    }
                }
            )
        options = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
        assert (command, options["--field-manager"]) == ("apply", OWNER)
        manifest = json.loads(Path(options["--filename"]).read_text())
        assert (manifest["kind"], manifest["metadata"]["namespace"]) == ("VirtualService", "sample")
        (http,) = manifest["spec"]["http"]
        weights = {route["destination"]["subset"]: route["weight"] for route in http["route"]}
        assert sum(weights.values()) == 100
        self.routes[kubeconfig.name, manifest["metadata"]["name"]] = weights["v2"]
        self.shifts.append(("kubectl", weights["v2"]))
        return ""

    def looks(self) -> list[shift.Look]:
        """Return one proxy for each route."""

        def look(route: tuple[str, str]) -> shift.Look:
            return lambda: ({"v1": 100 - self.routes[route], "v2": self.routes[route]},)

        return [look(route) for route in self.routes]


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LabDouble:
    """Return a double of the lab, for a stack of two clusters."""
    double = LabDouble()
    values = program_config(tmp_path, len(CLUSTERS))
    config = parse({key.removeprefix("mcsps:"): json.loads(value) for key, value in values.items()})
    monkeypatch.setattr(lab_stack, "load", lambda *_: lab_stack.Stack("mcsps", STACK, values))
    monkeypatch.setattr(stack, "load", lambda *_: config)
    monkeypatch.setattr(shift, "TIMEOUT_SECONDS", 0)
    monkeypatch.setattr(shift, "find_proxies", double.looks)
    monkeypatch.setattr(mesh, "installed", double.installed)
    monkeypatch.setattr(mesh, "deploy", double.deploy)
    monkeypatch.setattr(mesh, "kubectl", double.kubectl)
    monkeypatch.setattr(mesh, "clusters_cpu", float)
    monkeypatch.setattr(lock, "_NAME", f"\0mcsps-bench-test-{id(double)}")
    return double


def test_both_sides_shift_every_route_by_turns_to_a_weight_that_was_not_there(lab: LabDouble) -> None:
    """The steps by hand apply all VirtualServices of all clusters, and the checkout stays unchanged."""
    before = (ROOT / STACK_FILE).read_text()
    shifts = shift.measure({}, 2, Engine.PULUMI, lambda _: None)
    by_hand = [("kubectl", weight) for weight in (21, 22) for _ in lab.routes]
    assert lab.shifts == [("up", 20), *by_hand, ("up", 23)]
    assert lab.said == ["up", "destroy"]
    assert (ROOT / STACK_FILE).read_text() == before
    assert all(len(both.ours) == len(both.floor) == 2 for both in (shifts.total, shifts.command, shifts.arrival))
    assert wall(shifts.total.ours).low >= wall(shifts.command.ours).low


def test_the_floor_applies_what_the_program_registers(tmp_path: Path) -> None:
    """It applies two complete VirtualServices on each cluster, with the weight of its shift."""
    found = list(shift.virtual_services(program_config(tmp_path, 2), 37))
    # The SDK registers in parallel, so the order is random.
    assert sorted(cluster for cluster, _ in found) == [CLUSTERS[0], CLUSTERS[0], CLUSTERS[1], CLUSTERS[1]]
    for _, manifest in found:
        assert set(manifest) == {"apiVersion", "kind", "metadata", "spec"}
        assert [route["weight"] for route in manifest["spec"]["http"][0]["route"]] == [63, 37]


@pytest.mark.parametrize("owners", [[], [OWNER, "kubectl"]])
def test_an_object_without_one_owner_is_an_error(lab: LabDouble, owners: list[str], tmp_path: Path) -> None:
    """A second field manager would be a conflict for the next `up`."""
    lab.owners = owners
    with pytest.raises(UserError, match="needs exactly one field manager"):
        shift.by_hand(tmp_path, 20)


def test_the_last_proxy_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy without a route, or with the old weight in one of two routes, is not ready."""
    monkeypatch.setattr(shift, "LOOK_SECONDS", 0)
    old, new = {"v1": 90, "v2": 10}, {"v1": 70, "v2": 30}
    seen: list[tuple[Mapping[str, int], ...]] = [(), (old,), (new, old), (new, new)]
    shift.wait_for(30, [lambda: (new,), lambda: seen.pop(0)])
    assert seen == []


def test_a_proxy_that_never_gets_it_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that does not answer is an error as well."""
    monkeypatch.setattr(shift, "TIMEOUT_SECONDS", 0)
    with pytest.raises(UserError, match="did not receive 30 % for v2"):
        shift.wait_for(30, [lambda: ({"v1": 90, "v2": 10},)])

    def refuse() -> tuple[Mapping[str, int], ...]:
        raise ApiError("no connection")

    with pytest.raises(UserError, match="no connection"):
        shift.wait_for(30, [refuse])
