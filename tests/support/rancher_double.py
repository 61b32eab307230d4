"""The lab's Rancher in a test: on doubles of clusters, with the test's clock and without a network."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx

from lab.machine import files
from lab.rancher import app
from lab.rancher.config import ClusterConfig, ServerConfig
from lab.rancher.controllers import loop
from lab.rancher.kube import KubeApi
from lab.rancher.store import Document
from tests.support.kube_double import KubeDouble

CLUSTER = "c-east1"
OTHER = "c-west1"
URL = "https://rancher.test"
START = datetime(2026, 1, 1, tzinfo=UTC)
_T = TypeVar("_T")


class RancherDouble:
    """
    One server with two clusters, and methods to call it.

    Attributes:
        now: The time of the server's clock.
        admin: The administrator's token.
    """

    def __init__(self, folder: Path, *, is_isolated: bool = False) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self.now = START
        self.kubes = {CLUSTER: KubeDouble(), OTHER: KubeDouble()}
        self.config = config(folder, is_isolated=is_isolated)
        if not self.config.admin_token_file.exists():
            for name, text in _seeded(is_isolated=is_isolated).items():
                files.write(folder / name, text)
        apis = {name: KubeApi(_client(kube)) for name, kube in self.kubes.items()}
        self.rancher = app.make(self.config, apis, lambda: self.now)
        self.admin = (folder / "admin-token").read_text()
        self._app = app.build(self.rancher, with_controllers=False)

    @property
    def kube(self) -> KubeDouble:
        """Return the first cluster."""
        return self.kubes[CLUSTER]

    def advance(self, **duration: float) -> None:
        """Advance the server's clock."""
        self.now += timedelta(**duration)

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None, **options: Any) -> httpx.Response:  # noqa: ANN401 - as httpx has it
        """Send a request as the administrator, with another token, or with an empty one unauthenticated."""
        token = self.admin if token is None else token
        headers = [*([("Authorization", f"Bearer {token}")] if token else []), *options.pop("headers", [])]

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
                return await client.request(method, path, json=body, headers=headers, **options)

        return run(send())

    def make(self, path: str, body: Document) -> Document:
        """Create a resource."""
        answer = self.ask("POST", path, body)
        assert answer.status_code == 201, answer.text
        made: Document = answer.json()
        return made

    def project(self, **fields: Any) -> Document:  # noqa: ANN401 - whatever a project can have
        """Create a project with the quotas of the original installation."""
        limit = {"limit": {"limitsCpu": "12000m", "limitsMemory": "12000Mi"}}
        container = {"limitsCpu": "200m", "limitsMemory": "128Mi", "requestsCpu": "100m", "requestsMemory": "64Mi"}
        body = {
            "clusterId": CLUSTER,
            "name": "istio",
            "resourceQuota": limit,
            "namespaceDefaultResourceQuota": limit,
            "containerDefaultResourceLimit": container,
        }
        return self.make("/v3/projects", body | fields)

    def token(self, **fields: Any) -> Document:  # noqa: ANN401 - whatever a token can have
        """Create a token of the administrator."""
        return self.make("/v3/tokens", fields)

    def user(self, name: str, password: str) -> tuple[str, str]:
        """Create a user without any rights, and return id and token."""
        made = self.make("/v3/users", {"username": name, "password": password})
        login = {"username": name, "password": password}
        answer = self.ask("POST", "/v3-public/localProviders/local?action=login", login, token="")
        return made["id"], answer.json()["token"]

    def reconcile(self) -> None:
        """Run the controllers of the first cluster once."""
        run(loop.reconcile(self.rancher, self.config.clusters[0]))


def config(folder: Path, *, is_isolated: bool = False) -> ServerConfig:
    """Return the server's configuration."""
    own = {name: folder / name for name in ("ca_file", "certificate_file", "key_file")}
    clusters = tuple(
        ClusterConfig(id=id_, name=name, server="https://kube.test", enable_network_policy=is_isolated, **own)
        for id_, name in ((CLUSTER, "east"), (OTHER, "west"))
    )
    return ServerConfig(
        address=IPv4Address("127.0.0.1"),
        port=0,
        url=URL,
        ca_file=folder / "ca.crt",
        certificate_file=folder / "tls.crt",
        key_file=folder / "tls.key",
        state_file=folder / "state.json",
        admin_token_file=folder / "admin-token",
        clusters=clusters,
    )


@cache
def _seeded(*, is_isolated: bool) -> Mapping[str, str]:
    """
    Return the files of a new server, by name.

    A new server writes its state about forty times until it is seeded, so all tests start from the same seed.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ca.crt").write_text("the CA")
        app.make(config(folder, is_isolated=is_isolated), {}, lambda: START)
        return {path.name: path.read_text() for path in folder.iterdir()}


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine, and return its result."""
    return asyncio.run(work)


def _client(kube: KubeDouble) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(kube.app), base_url="https://kube.test", headers={"Accept-Encoding": "identity"}
    )
