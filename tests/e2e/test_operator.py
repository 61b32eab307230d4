"""The pinned istioctl reads the IstioOperator resources that the program registers. These tests need no cluster."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.progress import Progress

from errors import UserError
from lab.build import toolchain
from tests.support import recording
from tests.support.inventory import plain
from tests.support.runs import Runs
from tests.support.stacks import OPERATOR

pytestmark = pytest.mark.e2e

CLUSTERS = {"mcsps-test-k8s-01": "mcsps-test-01", "mcsps-test-k8s-02": "mcsps-test-02"}
GATEWAYS = ("istio-ingressgateway", "istio-egressgateway", "istio-eastwestgateway")
Manifest = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """The objects that the two IstioOperators of one cluster create."""

    control_plane: Sequence[Manifest]
    eastwest: Sequence[Manifest]

    def deployments(self) -> dict[str, Manifest]:
        """The Deployments of both IstioOperators, by name."""
        return {name: found for (kind, name), found in self._objects().items() if kind == "Deployment"}

    def names(self, kind: str) -> list[str]:
        """The names of a kind's objects in both IstioOperators."""
        return sorted(name for found, name in self._objects() if found == kind)

    def _objects(self) -> dict[tuple[str, str], Manifest]:
        return {(found["kind"], found["metadata"]["name"]): found for found in [*self.control_plane, *self.eastwest]}


@pytest.fixture(scope="module")
def istioctl() -> Path:
    """Return the lab's istioctl in the pinned version."""
    try:
        return toolchain.ensure(Progress(disable=True), "istioctl").binary("istioctl")
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", params=CLUSTERS)
def cluster(request: pytest.FixtureRequest) -> str:
    """Return each cluster of the stack."""
    return str(request.param)


@pytest.fixture(scope="module")
def rendered(cluster: str, istioctl: Path, runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """Return the manifests that istioctl renders from the program's resources for a cluster."""
    folder = tmp_path_factory.mktemp(cluster)
    made = {}
    for found in runs(OPERATOR).find_all(recording.ISTIO_OPERATOR):
        if found.name.startswith(cluster):
            name = found.inputs["metadata"]["name"]
            path = folder / f"{name}.yaml"
            path.write_text(yaml.safe_dump(plain(found.inputs)))
            made[name] = generate(istioctl, path)
    return Rendered(control_plane=made["control-plane"], eastwest=made["eastwest"])


def generate(istioctl: Path, path: Path) -> list[Manifest]:
    """Let istioctl check and render one resource."""
    run = subprocess.run(  # noqa: S603 - the lab's own program
        [istioctl, "manifest", "generate", "-f", path], capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return [document for document in yaml.safe_load_all(run.stdout) if document]


def container(deployment: Manifest) -> Manifest:
    """Return the only container of a Deployment's pods."""
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(found)


def environment(deployment: Manifest) -> dict[str, object]:
    """Return the plain variables of a Deployment's container."""
    return {entry["name"]: entry.get("value") for entry in container(deployment)["env"]}


def test_istioctl_takes_both_and_makes_istiod_and_three_gateways_of_them(rendered: Rendered) -> None:
    """Each object exists once, because no object is in both resources."""
    assert rendered.names("Deployment") == sorted(["istiod", *GATEWAYS])
    both = [
        {(found["kind"], found["metadata"]["name"]) for found in part}
        for part in (rendered.control_plane, rendered.eastwest)
    ]
    assert both[0] & both[1] == set()


def test_no_service_of_a_gateway_is_made(rendered: Rendered) -> None:
    """The program creates these Services, so that their addresses are outputs."""
    assert rendered.names("Service") == ["istiod"]


def test_the_programs_services_find_pods_and_ports_of_the_operators_gateways(
    rendered: Rendered, runs: Runs, cluster: str
) -> None:
    """The selectors match the pods, and the target ports exist."""
    services = {
        found.inputs["metadata"]["name"]: found.inputs["spec"]
        for found in runs(OPERATOR).find_all(recording.SERVICE)
        if found.name.startswith(f"{cluster}-istio-")
    }
    assert services.keys() == set(GATEWAYS)
    for name, spec in services.items():
        deployment = rendered.deployments()[name]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert labels.items() >= spec["selector"].items()
        if name != "istio-eastwestgateway":
            listens = {port["containerPort"] for port in container(deployment)["ports"]} | {15021}
            assert {port["targetPort"] for port in spec["ports"]} <= listens


def test_mesh_network_cluster_images_and_environment_arrive(rendered: Rendered, cluster: str) -> None:
    """The values are where istiod and the gateways read them; istioctl accepting them is not enough."""
    deployments = rendered.deployments()
    istiod = deployments["istiod"]
    assert container(istiod)["image"] == "mtr.external.otc.telekomcloud.com/istio/pilot:1.12.0"
    assert environment(istiod)["CLUSTER_ID"] == cluster
    assert environment(istiod)["ISTIO_MULTIROOT_MESH"] == "true"
    ingress = environment(deployments["istio-ingressgateway"])
    assert (ingress["ISTIO_META_MESH_ID"], ingress["ISTIO_META_NETWORK"]) == ("mcsps-test", CLUSTERS[cluster])
    eastwest = deployments["istio-eastwestgateway"]
    assert environment(eastwest)["ISTIO_META_REQUESTED_NETWORK_VIEW"] == CLUSTERS[cluster]
    assert eastwest["spec"]["template"]["metadata"]["labels"]["topology.istio.io/network"] == CLUSTERS[cluster]
    assert eastwest["spec"]["template"]["metadata"]["annotations"]["inject.istio.io/templates"] == "gateway"
    (mesh,) = [
        yaml.safe_load(found["data"]["mesh"])
        for found in rendered.control_plane
        if found["kind"] == "ConfigMap" and found["metadata"]["name"] == "istio"
    ]
    assert mesh["trustDomain"] == "cluster.local"
    assert mesh["defaultConfig"]["proxyMetadata"] == {"PROXY_CONFIG_XDS_AGENT": "true"}


def test_every_container_has_the_programs_limits(rendered: Rendered) -> None:
    """The profile itself sets no limits."""
    limits = {name: container(found)["resources"]["limits"] for name, found in rendered.deployments().items()}
    assert limits == {
        "istiod": {"cpu": "2000m", "memory": "2048Mi"},
        **{name: {"cpu": "1000m", "memory": "512Mi"} for name in GATEWAYS},
    }
