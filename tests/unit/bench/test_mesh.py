"""The inputs of the mesh's floor."""

import json
from pathlib import Path

import pytest
import yaml

from bench import mesh
from bench.mesh import floor_files, program_charts
from bench.program import program_config
from config.parsing import parse
from errors import UserError
from lab.engines import Engine
from lab.stacks import STACK
from ops import stack

ROOT = Path(__file__).parents[3]
MANIFESTS = ROOT / "bench" / "floor"


def test_the_floor_gets_the_programs_own_values(tmp_path: Path) -> None:
    """Only the steps by hand add values: the charts' Services, and the reader that istioctl needs."""
    values = program_config(tmp_path, 2)
    config = parse({key.removeprefix("mcsps:"): json.loads(value) for key, value in values.items()})
    charts = program_charts(values)
    files = floor_files(config, charts)
    istiod = yaml.safe_load(files["cluster-1/istiod.yaml"])
    assert istiod["global"].pop("enableReaderRBAC") is True
    assert {**istiod["global"], "enableReaderRBAC": False} == charts["cluster-1", "istiod"]["global"]
    assert istiod["env"] == charts["cluster-1", "istiod"]["env"]
    eastwest = yaml.safe_load(files["cluster-1/istio-eastwestgateway.yaml"])
    assert eastwest["networkGateway"] == files["cluster-1/network"] == "network-cluster-1"
    assert eastwest["service"] == {"type": "LoadBalancer"}


def test_the_floors_manifests_are_what_the_labs_stack_says() -> None:
    """Image, resources and weight are in both, and different values would make the comparison invalid."""
    config = stack.load(STACK, ROOT)
    (container,) = yaml.safe_load((MANIFESTS / "helloworld-version.yaml").read_text())["spec"]["template"]["spec"][
        "containers"
    ]
    assert {container["image"]} == {config.helloworld.images.v1, config.helloworld.images.v2}
    assert container["resources"] == config.helloworld.resources.model_dump()
    routes = [
        http["route"]
        for document in yaml.safe_load_all((MANIFESTS / "routing.yaml").read_text())
        if document["kind"] == "VirtualService"
        for http in document["spec"]["http"]
    ]
    assert [[route["weight"] for route in each] for each in routes] == [[100 - config.v2_weight, config.v2_weight]] * 2


def test_a_mesh_that_others_measure_is_gone_at_the_end_whatever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """CRDs that existed before the mesh do not count as its objects."""
    done: list[object] = []
    monkeypatch.setattr(mesh, "_empty", done.append)
    monkeypatch.setattr(mesh, "deploy", lambda command, _: done.append(command))
    monkeypatch.setattr(mesh, "verify", lambda: done.append("verify"))
    found = {ROOT: frozenset({"namespace/default", "customresourcedefinition/gateways.networking.istio.io"})}
    empty = {ROOT: frozenset({"namespace/default"})}

    def measure_and_fail() -> None:
        with mesh.installed(found, Engine.STAND_IN, lambda _: None):
            done.append("measure")
            raise UserError("the clusters are not empty")

    with pytest.raises(UserError):
        measure_and_fail()
    assert done == [empty, "up", "verify", "measure", "destroy", empty]
