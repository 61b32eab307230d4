"""
Sends the same requests to the double and to a real Rancher server. Only documented differences may occur.

The user provides the real server with `MCSPS_REAL_RANCHER_URL`, `_CA` (a file) and `_TOKEN`.
Its cluster `local` must not be the lab's first, because the tests create and delete projects and namespaces in it.
"""

import asyncio
import os
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lab.rancher import app, kube, names, service
from lab.rancher.config import ClusterConfig, ServerConfig
from lab.rancher.controllers import namespaces
from lab.rancher.seed import ADMIN
from lab.spec import POD_CIDR, ClusterSpec
from tests.e2e import rancher_comparison
from tests.e2e.conftest import Lab
from tests.e2e.rancher_comparison import Server
from tests.e2e.rancher_differences import KNOWN, OF_ISOLATION
from tests.e2e.rancher_requests import ISOLATED, ISOLATING, STEPS, UNISOLATING
from tests.support import live

REAL = ("MCSPS_REAL_RANCHER_URL", "MCSPS_REAL_RANCHER_CA", "MCSPS_REAL_RANCHER_TOKEN")
_BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not all(map(os.environ.get, REAL)), reason=f"there is no real Rancher to compare with: {', '.join(REAL)}"
    ),
]


@pytest.fixture
def real() -> Iterator[Server]:
    """Connect to the server that the environment names."""
    server = rancher_comparison.connect(*(os.environ[name] for name in REAL))
    with server.client:
        yield server


@pytest.fixture(scope="module")
def folder(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of the double's state, which all tests share and which is removed at the end."""
    if service.is_wanted():
        pytest.skip("the lab has a Rancher of its own, which would act on the same namespaces")
    own = tmp_path_factory.mktemp("double")
    live.certify(own)
    yield own
    asyncio.run(_forget(_cluster(lab.clusters[0], is_isolated=False)))


@pytest.fixture
def double(lab: Lab, folder: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Start the double. It gives the lab's first cluster the name that a real Rancher uses for its own cluster."""
    cluster = _cluster(lab.clusters[0], is_isolated=getattr(request, "param", False))
    with live.listening() as front:
        url = f"https://{live.LOOPBACK}:{front.getsockname()[1]}"
        server_config = ServerConfig(
            address=IPv4Address(live.LOOPBACK),
            port=0,
            url=url,
            ca_file=folder / "ca.crt",
            certificate_file=folder / "tls.crt",
            key_file=folder / "tls.key",
            state_file=folder / "state.json",
            admin_token_file=folder / "admin-token",
            clusters=(cluster,),
        )
        rancher = app.make(server_config, {cluster.id: kube.connect(cluster)})
        with live.served(app.build(rancher), front, folder):
            server = rancher_comparison.connect(
                url, str(server_config.ca_file), server_config.admin_token_file.read_text()
            )
            with server.client:
                yield server


def _cluster(spec: ClusterSpec, *, is_isolated: bool) -> ClusterConfig:
    return ClusterConfig(
        id="local",
        name="local",
        server=spec.server,
        ca_file=spec.pki / "ca.crt",
        certificate_file=spec.pki / "admin.crt",
        key_file=spec.pki / "admin.key",
        enable_network_policy=is_isolated,
        pod_cidr=str(POD_CIDR),
    )


async def _forget(cluster: ClusterConfig) -> None:
    annotations = (names.PROJECT_ID, names.QUOTA_PROJECT, names.NAMESPACE_AUTH, names.STATUS)
    metadata = {"annotations": dict.fromkeys(annotations), "labels": {names.PROJECT_ID: None}}
    async with kube.connect(cluster) as api:
        for namespace in await api.objects(namespaces.PATH):
            await api.patch(f"{namespaces.PATH}/{namespace['metadata']['name']}", {"metadata": metadata})
        await api.delete(f"{_BINDINGS}/globaladmin-{ADMIN}")


def _fail_for(found: Iterable[object], what: str) -> None:
    """Fail with all differences, one per line."""
    if lines := list(map(str, found)):
        pytest.fail("\n".join([f"{len(lines)} {what}:", *lines]), pytrace=False)


def test_both_answer_alike(double: Server, real: Server) -> None:
    """The requests are all of the project, its provider and the refusals. Each documented difference still occurs."""
    found = rancher_comparison.differences(double.play(STEPS), real.play(STEPS))
    _fail_for(rancher_comparison.unknown(found, KNOWN), "undocumented differences")
    gone = (it for it in KNOWN if not it.is_passing and not any(map(it.covers, found)))
    _fail_for(gone, "documented differences that are none any more")


@pytest.mark.parametrize("double", [True], indirect=True)
def test_both_isolate_projects_alike(double: Server, real: Server) -> None:
    """Both create the same NetworkPolicies."""
    real.play(ISOLATING)
    try:
        found = rancher_comparison.differences(double.play(ISOLATED), real.play(ISOLATED))
    finally:
        real.play(UNISOLATING)
    _fail_for(rancher_comparison.unknown(found, (*KNOWN, *OF_ISOLATION)), "undocumented differences")
