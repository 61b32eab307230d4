"""The proxy to a cluster's API server."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from lab.rancher import app, proxy
from lab.rancher.kube import KubeApi
from tests.support import live
from tests.support.kube_double import KubeDouble
from tests.support.rancher_double import CLUSTER, OTHER, RancherDouble, config

PODS = f"/k8s/clusters/{CLUSTER}/api/v1/pods"
WATCH = f"{PODS}?watch=true"
SECONDS = 10.0


def sent(server: RancherDouble) -> list[tuple[str, str]]:
    """Return the headers of the last request to the cluster."""
    return server.kube.seen[-1][2]


def test_a_request_reaches_the_cluster_as_the_token_s_user(server: RancherDouble) -> None:
    """The request has the groups of all Rancher users, and Rancher's other impersonation headers."""
    assert server.ask("GET", PODS).status_code == 200
    impersonated = [(key, value) for key, value in sent(server) if key.startswith("impersonate-")]
    assert ("impersonate-user", "user-admin") in impersonated
    groups = [value for key, value in impersonated if key == "impersonate-group"]
    assert groups == ["system:authenticated", "system:cattle:authenticated"]
    assert ("impersonate-extra-username", "admin") in impersonated
    assert ("impersonate-extra-requesttokenid", server.admin.partition(":")[0]) in impersonated


def test_whom_a_client_would_like_to_be_goes_no_further(server: RancherDouble) -> None:
    """The same holds for its credentials, in any header and case."""
    wished = [
        ("Impersonate-User", "system:admin"),
        ("impersonate-group", "system:masters"),
        ("IMPERSONATE-EXTRA-SCOPES", "all"),
        ("Impersonate-Uid", "0"),
        ("Cookie", "R_SESS=token-x:key"),
    ]
    server.ask("GET", PODS, headers=wished)
    text = str(sent(server))
    for value in ("system:admin", "system:masters", "IMPERSONATE-EXTRA-SCOPES", "impersonate-uid", "R_SESS"):
        assert value not in text
    assert server.admin not in text
    assert "authorization" not in dict(sent(server))


def test_headers_of_one_connection_do_not_pass(server: RancherDouble) -> None:
    """These include the headers that `Connection` names."""
    headers = [("Connection", "keep-alive, X-Mine"), ("X-Mine", "1"), ("X-Theirs", "2"), ("Accept", "application/json")]
    server.ask("GET", PODS, headers=headers)
    passed = dict(sent(server))
    assert "x-mine" not in passed
    assert (passed["x-theirs"], passed["accept"]) == ("2", "application/json")
    assert proxy.returned([("Transfer-Encoding", "chunked"), ("Audit-Id", "1")]) == [("Audit-Id", "1")]


def test_path_query_and_body_pass_as_they_are(server: RancherDouble) -> None:
    """Escapes stay, because the API server decodes them."""
    body = {"metadata": {"name": "one"}}
    answer = server.ask("POST", f"/k8s/clusters/{CLUSTER}/api/v1/namespaces?fieldManager=a%2Fb", body)
    assert answer.status_code == 201
    assert server.kube.seen[-1][:2] == ("POST", "/api/v1/namespaces")
    assert b'"one"' in server.kube.bodies[-1]
    assert server.kube.queries[-1] == "fieldManager=a%2Fb"


def test_an_error_of_the_cluster_passes_as_it_is(server: RancherDouble) -> None:
    """The error is the API server's and not Rancher's."""
    answer = server.ask("GET", f"/k8s/clusters/{CLUSTER}/api/v1/namespaces/none")
    assert (answer.status_code, answer.json()["kind"]) == (404, "Status")


def test_a_cluster_that_there_is_not_is_not_found(server: RancherDouble) -> None:
    """This holds for users who can see the cluster."""
    assert server.ask("GET", "/k8s/clusters/c-zzzzz/api").status_code == 404


def test_a_cluster_that_cannot_be_reached_is_said_to_be(server: RancherDouble) -> None:
    """The answer comes at once, and contains no details of the error."""

    def fail(request: httpx.Request) -> httpx.Response:
        message = "no route to 10.0.0.1"
        raise httpx.ConnectError(message, request=request)

    client = httpx.AsyncClient(transport=httpx.MockTransport(fail), base_url="https://kube.test")
    vars(server.rancher)["apis"] = {**server.rancher.apis, CLUSTER: KubeApi(client)}
    answer = server.ask("GET", PODS)
    assert (answer.status_code, answer.text) == (502, "east: ConnectError")


def test_an_upgrade_is_refused_by_name(server: RancherDouble) -> None:
    """`kubectl exec` then reports the reason instead of waiting."""
    answer = server.ask("POST", PODS, headers=[("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1")])
    assert (answer.status_code, "SPDY" in answer.text) == (501, True)


@contextmanager
def online(folder: Path, kube: KubeDouble) -> Iterator[tuple[httpx.Client, str]]:
    """Run a server and a cluster on the network; yield a client and the administrator's token."""
    live.certify(folder)
    with live.listening() as behind, live.listening() as front:
        inner = httpx.AsyncClient(
            base_url=f"http://{live.LOOPBACK}:{behind.getsockname()[1]}", timeout=SECONDS, trust_env=False
        )
        rancher = app.make(config(folder), {CLUSTER: KubeApi(inner), OTHER: KubeApi(inner)})
        served = live.served(app.build(rancher, with_controllers=False), front, folder)
        with live.served(kube.app, behind), served:
            trusted = ssl.create_default_context(cafile=folder / "ca.crt")
            url = f"https://{live.LOOPBACK}:{front.getsockname()[1]}"
            with httpx.Client(base_url=url, verify=trusted, trust_env=False, timeout=SECONDS) as client:
                yield client, (folder / "admin-token").read_text()


@pytest.fixture
def kube() -> KubeDouble:
    """Return a cluster that has no events in its watch yet."""
    kube = KubeDouble()
    kube.events = asyncio.Queue()
    return kube


def test_a_watch_passes_event_by_event(tmp_path: Path, kube: KubeDouble) -> None:
    """Each event arrives before the next one occurs, over TLS verified with the server's CA."""
    assert kube.events is not None
    with online(tmp_path, kube) as (client, token):
        headers = {"Authorization": f"Bearer {token}"}
        with client.stream("GET", WATCH, headers=headers) as answer:
            assert answer.headers["content-type"] == "application/json"
            lines = answer.iter_lines()
            for number in range(3):
                kube.say({"type": "ADDED", "object": {"number": number}})
                assert f'"number": {number}' in next(lines)
            kube.say(None)
            assert list(lines) == []


def test_a_client_that_goes_away_ends_its_watch(tmp_path: Path, kube: KubeDouble) -> None:
    """Otherwise the API server would keep every watch."""
    with online(tmp_path, kube) as (client, token):
        with client.stream("GET", WATCH, headers={"Authorization": f"Bearer {token}"}) as answer:
            kube.say({"type": "ADDED", "object": {}})
            assert next(answer.iter_lines())
        assert kube.ended.wait(SECONDS), "the watch goes on"


def test_a_command_in_a_container_runs_through_a_web_socket(tmp_path: Path, kube: KubeDouble) -> None:
    """It uses Kubernetes' protocol in both directions as the token's user, and ends with the command."""
    with online(tmp_path, kube) as (client, token):
        url = f"{str(client.base_url).replace('https', 'wss')}{PODS}/one/exec?command=a%20b"
        headers = {"Authorization": f"Bearer {token}", "Impersonate-User": "system:admin"}
        trusted = ssl.create_default_context(cafile=tmp_path / "ca.crt")
        protocol = Subprotocol("v4.channel.k8s.io")

        async def run() -> None:
            async with (
                asyncio.timeout(SECONDS),
                connect(url, ssl=trusted, additional_headers=headers, subprotocols=[protocol], proxy=None) as socket,
            ):
                assert socket.subprotocol == protocol
                await socket.send(b"input")
                assert [message async for message in socket] == [b"\x01input"]
                assert socket.close_code == 1000

        asyncio.run(run())
    _, path, seen = kube.seen[-1]
    assert (path, kube.queries[-1]) == ("/api/v1/pods/one/exec", "command=a%20b")
    assert [value for key, value in seen if key == "impersonate-user"] == ["user-admin"]
    assert token not in str(seen)


@pytest.mark.parametrize("cluster", [CLUSTER, "c-zzzzz"])
def test_a_web_socket_needs_a_token_and_a_cluster(tmp_path: Path, kube: KubeDouble, cluster: str) -> None:
    """All requests need one, and this one does not reach the cluster."""
    with online(tmp_path, kube) as (client, token):
        url = f"{str(client.base_url).replace('https', 'wss')}{PODS.replace(CLUSTER, cluster)}/one/exec"
        headers = {"Authorization": f"Bearer {token}{'x' if cluster == CLUSTER else ''}"}
        trusted = ssl.create_default_context(cafile=tmp_path / "ca.crt")

        async def run() -> None:
            async with asyncio.timeout(SECONDS), connect(url, ssl=trusted, additional_headers=headers, proxy=None):
                pytest.fail("it is let in")

        with pytest.raises(InvalidStatus, match="403" if cluster == CLUSTER else "404"):
            asyncio.run(run())
    assert kube.seen == []


def test_a_ca_that_is_not_the_server_s_is_of_no_use(tmp_path: Path, kube: KubeDouble) -> None:
    """The system's trust store does not verify the server."""
    with online(tmp_path, kube) as (client, _), httpx.Client(base_url=client.base_url, trust_env=False) as other:
        assert client.get("/ping").text == "pong"
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            other.get("/ping")


def test_no_secret_is_in_the_log(tmp_path: Path, kube: KubeDouble, caplog: pytest.LogCaptureFixture) -> None:
    """This holds for all requests and all errors."""
    caplog.set_level(0)
    with online(tmp_path, kube) as (client, token):
        headers = {"Authorization": f"Bearer {token}"}
        made = client.post("/v3/tokens", headers=headers, json={"ttl": 1000}).json()
        client.get(PODS, headers={"Authorization": f"Bearer {made['token']}"})
        client.get(PODS, headers={"Authorization": f"Bearer {made['token']}x"})
        client.post("/v3/projects", headers=headers, content="{")
    for secret in (token, made["token"], made["token"].partition(":")[2]):
        assert secret not in caplog.text
