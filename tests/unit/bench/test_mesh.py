"""What the floor of the mesh is given."""

from pathlib import Path

import yaml

from bench.mesh import floor_files
from lab.deploy import STACK
from ops import stack

ROOT = Path(__file__).parents[3]
MANIFESTS = ROOT / "bench" / "floor"


def test_the_floor_gets_the_programs_own_values() -> None:
    """But for what its own steps need: the charts' Services, and the reader that istioctl takes."""
    files = floor_files(stack.load(STACK, ROOT))
    istiod = yaml.safe_load(files["west/istiod.yaml"])
    assert istiod["global"]["multiCluster"]["clusterName"] == "west"
    assert istiod["global"]["enableReaderRBAC"] is True
    assert istiod["autoscaleEnabled"] is False
    eastwest = yaml.safe_load(files["west/eastwest.yaml"])
    assert eastwest["networkGateway"] == files["west/network"] == "network-west"
    assert eastwest["service"] == {"type": "LoadBalancer"}


def test_the_floors_manifests_are_what_the_labs_stack_says() -> None:
    """Image, resources and weight stand in both; another value in one of them would compare unlike things."""
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
