"""The checks of a Rancher server before any change, on the lab's Rancher: each error names the key to fix."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from config.preflight.rancher import ClusterQuery, Connect, Query, find, look_up
from config.preflight.rancher_connection import connect
from errors import UserError
from lab.rancher import app
from lab.rancher.store import Kind
from mesh import names
from tests.support import live
from tests.support.rancher_double import CLUSTER, OTHER, RancherDouble

KEY = "mcsps:clusters[0].access"
SEEN = "a cluster that the user of rancherToken can see, which are"


def by_id(cluster: str) -> dict[str, ClusterQuery]:
    """Return a query of one cluster by Rancher's id."""
    return {"mine": ClusterQuery(key=KEY, id=cluster, name=None)}


def by_name(name: str) -> dict[str, ClusterQuery]:
    """Return a query of one cluster by the name that Rancher shows."""
    return {"mine": ClusterQuery(key=KEY, id=None, name=name)}


class Server:
    """A server on the network, and the query that it gets."""

    def __init__(self, double: RancherDouble, query: Query) -> None:
        self.double = double
        self.query = query

    def set(self, kind: Kind, id_: str, **fields: str) -> None:
        """Change an object in the server's store."""
        stored = self.double.rancher.store.get(kind, id_)
        assert stored is not None
        self.double.rancher.store.put(kind, stored | fields)

    def refuses(self, connect: Connect = connect, **changes: object) -> str:
        """Return the key and the text of the error."""
        with pytest.raises(UserError) as caught:
            look_up(replace(self.query, **changes), connect)  # type: ignore[arg-type]
        assert self.query.token.partition(":")[2] not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        return str(caught.value)


@contextmanager
def on_the_network(served: ASGIApp, folder: Path | None) -> Iterator[str]:
    """Serve an application, with TLS if there is a folder with keys."""
    with live.listening() as sock, live.served(served, sock, folder):
        yield f"https://{live.LOOPBACK}:{sock.getsockname()[1]}"


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a CA and a certificate for the loopback address."""
    folder = tmp_path_factory.mktemp("tls")
    live.certify(folder)
    return folder


@pytest.fixture(scope="module")
def listening(certified: Path) -> Iterator[tuple[str, live.Stage]]:
    """Yield the URL of one server for all tests of this file, and the stage on which it serves applications."""
    stage = live.Stage()
    with on_the_network(stage, certified) as url:
        yield url, stage


@pytest.fixture
def server(
    tmp_path: Path, certified: Path, listening: tuple[str, live.Stage], monkeypatch: pytest.MonkeyPatch
) -> Server:
    """Return the lab's Rancher with two clusters, and a query with the address and credential for it."""
    monkeypatch.setenv("NO_PROXY", live.LOOPBACK)
    url, stage = listening
    double = RancherDouble(tmp_path)
    stage.app = app.build(double.rancher, with_controllers=False)
    query = Query(
        url=url,
        ca_certs=(certified / "ca.crt").read_text(),
        token=double.admin,
        token_ttl_hours=720,
        creates_users=True,
        clusters=by_id(CLUSTER),
    )
    return Server(double, query)


def test_all_is_well_and_nothing_is_made(server: Server) -> None:
    """The check creates no token, and no object in the cluster."""
    before = server.double.rancher.store.all(Kind.TOKEN)
    assert look_up(server.query) == {"mine": CLUSTER}
    assert list(server.double.rancher.store.all(Kind.TOKEN)) == list(before)
    assert server.double.kube.objects == {}
    assert server.double.admin not in repr(server.query)


def test_a_role_of_another_stack_is_refused(server: Server) -> None:
    """The mesh id `a` with cluster `b-c`, and `a-b` with `c`, result in the same Rancher user."""
    role = {"name": "a-b-c-reader", "context": "cluster", "description": names.peers_role_description("c")}
    server.double.make("/v3/roletemplates", role)
    roles = {"a-b-c-reader": names.peers_role_description("b-c"), "a-d-reader": names.peers_role_description("d")}
    assert server.refuses(roles=roles) == (
        "mcsps:mesh.id: with a cluster's name it results in the Rancher user 'a-b-c-reader', whose role belongs to "
        "another stack ('Reads in c what the istiod of its peers needs'); allowed: an id that results in other "
        "names. Set another mesh id, or rename the cluster"
    )
    assert look_up(replace(server.query, roles={"a-b-c-reader": names.peers_role_description("c")}))


@pytest.mark.parametrize("token", ["", "token-abc12", "token-abc12:key\n", "token-äbc12:key"])
def test_what_can_be_no_token_is_not_sent(server: Server, token: str) -> None:
    """The text might be any other secret."""
    assert server.refuses(token=token).startswith(
        "mcsps:rancherToken: not a Rancher API token; allowed: a Rancher API token without scope"
    )


def test_a_token_that_is_none_of_the_servers_is_refused(server: Server) -> None:
    """A token with the scope of a cluster is refused as well, because it can create neither projects nor tokens."""
    text = f"mcsps:rancherToken: refused by {server.query.url}; allowed: a Rancher API token"
    assert server.refuses(token="token-abc12:key").startswith(text)  # noqa: S106 - a fake
    scoped = server.double.token(clusterId=CLUSTER)["token"]
    assert server.refuses(token=scoped).startswith(text)


def test_a_ca_that_is_not_the_servers_is_said(server: Server) -> None:
    """The configured CA is another one, or is absent although the server has a private one."""
    text = f"mcsps:rancher.caCerts: the certificate of {server.query.url} is not trusted: "
    assert server.refuses(ca_certs=None).startswith(text)


def test_a_certificate_for_another_host_is_said(server: Server) -> None:
    """The error contains the reason that TLS gives."""
    url = server.query.url.replace(live.LOOPBACK, "localhost")
    assert "is not trusted: Hostname mismatch" in server.refuses(url=url)


def test_an_address_where_nobody_is_is_said(server: Server) -> None:
    """The error contains the reason of the operating system."""
    with live.listening() as sock:
        port = sock.getsockname()[1]
    text = server.refuses(url=f"https://{live.LOOPBACK}:{port}")
    assert text.startswith(f"mcsps:rancher.url: got https://{live.LOOPBACK}:{port}, which cannot be reached: ")
    assert "refused" in text


def test_a_name_that_there_is_not_is_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test queries no real resolver."""

    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    text = "mcsps:rancher.url: got https://rancher.invalid, which cannot be reached: Name or service not known. Set the"
    assert server.refuses(url="https://rancher.invalid").startswith(text)


def test_a_server_without_tls_is_said(server: Server) -> None:
    """The program does not send the token to it."""
    with on_the_network(Starlette(), None) as url:
        assert server.refuses(url=url).startswith(f"mcsps:rancher.url: got {url}, which cannot be reached: the server ")


def test_a_server_that_does_not_answer_is_said(server: Server) -> None:
    """The error comes at once, not after the two minutes of the provider's timeout."""
    impatient = partial(connect, timeout_seconds=0.1)
    with live.listening() as sock:
        text = server.refuses(impatient, url=f"https://{live.LOOPBACK}:{sock.getsockname()[1]}")
    assert "cannot be reached: no response in time. " in text


def test_an_error_without_a_reason_is_named_by_its_kind(server: Server) -> None:
    """The text of the error itself can contain what was sent."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError(server.query.token)

    def to_nowhere(url: str, *_: str | None) -> httpx.Client:
        return httpx.Client(base_url=url, transport=httpx.MockTransport(fail))

    assert "cannot be reached: RemoteProtocolError. " in server.refuses(to_nowhere)


@pytest.mark.parametrize("host", ["a..b", "x" * 64, "xn--a.b", "[abcd]", "[1.2.3.4]"])
def test_a_host_that_none_can_be_is_said(server: Server, host: str) -> None:
    """The error is the same, whichever part of the client refuses the host."""
    assert server.refuses(url=f"https://{host}").startswith(f"mcsps:rancher.url: got https://{host}, ")


def test_one_cluster_under_two_names_is_said(server: Server) -> None:
    """One name is the id, the other the displayed name. The program would create all objects in the cluster twice."""
    twice = {"one": by_id(CLUSTER)["mine"], "other": by_name("east")["mine"]}
    text = f"{KEY}: got '{CLUSTER}', which cluster one has too; allowed: a different Rancher cluster for each entry"
    assert server.refuses(clusters=twice) == text


@pytest.mark.parametrize("text", ["<html>a page</html>", "[]", '{"data": [1]}', '{"data": [{"name": "east"}]}'])
def test_a_server_that_is_no_rancher_is_said(server: Server, certified: Path, text: str) -> None:
    """The error is the same for any content of the answer."""
    page = Starlette(routes=[Route("/{path:path}", lambda _: HTMLResponse(text))])
    with on_the_network(page, certified) as url:
        said = server.refuses(url=url)
    assert said.startswith(f"mcsps:rancher.url: got {url}, which answers 200 to /v3/clusters, but not as a Rancher ")


def test_a_cluster_that_there_is_not_is_said_beside_those_that_there_are(server: Server) -> None:
    """The error names the key of the cluster's id."""
    text = f"{KEY}.clusterId: got 'c-none1'; allowed: {SEEN} {CLUSTER} (east), "
    assert server.refuses(clusters=by_id("c-none1")).startswith(text)


def test_a_user_without_any_cluster_sees_none(server: Server) -> None:
    """A long list of clusters is cut."""
    _, token = server.double.user("someone", "a password of his")
    assert server.refuses(token=token, creates_users=False).endswith("which are none")
    cluster = server.double.rancher.store.get(Kind.CLUSTER, CLUSTER)
    assert cluster is not None
    for number in range(10):
        server.double.rancher.store.put(Kind.CLUSTER, cluster | {"id": f"c-more{number}"})
    assert server.refuses(clusters=by_id("c-none1")).endswith("c-more8 (east), ...")


def test_a_cluster_is_found_by_the_name_that_rancher_shows(server: Server) -> None:
    """The function `find` does this without the other checks."""
    assert look_up(replace(server.query, clusters=by_name("east"))) == {"mine": CLUSTER}
    query = server.query
    assert find(query.url, query.ca_certs, query.token, by_name("west")["mine"]) == OTHER


def test_a_name_that_no_cluster_has_or_several_is_said(server: Server) -> None:
    """If several clusters have the name, the error lists their ids, so that the user can set one of them."""
    text = f"{KEY}.clusterName: got "
    assert server.refuses(clusters=by_name("north")).startswith(f"{text}'north'; allowed: {SEEN} {CLUSTER}")
    server.set(Kind.CLUSTER, OTHER, name="east")
    assert server.refuses(clusters=by_name("east")) == (
        f"{text}'east', the name of 2 clusters: {CLUSTER} (east), {OTHER} (east). Set clusterId instead"
    )


def test_who_may_make_no_user_is_told_what_to_do_without(server: Server) -> None:
    """Only an administrator can create users. The owner of the cluster has all other rights that the program needs."""
    user, token = server.double.user("owner", "a password of his")
    binding = {"clusterId": CLUSTER, "userId": user, "roleTemplateId": "cluster-owner"}
    server.double.make("/v3/clusterroletemplatebindings", binding)
    said = server.refuses(token=token)
    assert said.startswith("mcsps:rancher.peersUser: got true, but the user of rancherToken cannot create a user")
    assert "set it to false" in said
    assert look_up(replace(server.query, token=token, creates_users=False)) == {"mine": CLUSTER}


@pytest.mark.parametrize(("message", "said"), [("waiting for its agent", ": waiting for its agent"), ("", "")])
def test_a_cluster_that_is_not_active_is_said(server: Server, message: str, said: str) -> None:
    """The error contains Rancher's own reason, if any."""
    server.set(Kind.CLUSTER, CLUSTER, state="unavailable", transitioningMessage=message)
    text = f"{KEY}: got '{CLUSTER}', which is unavailable{said}. Wait until"
    assert server.refuses().startswith(text)


def test_a_cluster_whose_api_does_not_answer_is_said(server: Server) -> None:
    """Rancher may not have noticed the outage yet."""
    server.double.kube.refuses = 503
    assert server.refuses().startswith(f"{KEY}: got '{CLUSTER}', for which Rancher's proxy answers 503")


def test_a_token_without_the_right_to_everything_in_the_cluster_is_said(server: Server) -> None:
    """The program creates Roles and CRDs in the cluster."""
    server.double.kube.allows = False
    text = f"mcsps:rancherToken: its user does not have all rights in cluster '{CLUSTER}'. Make the user Cluster Owner"
    assert server.refuses().startswith(text)

    assert server.refuses().startswith(text)


def test_a_ttl_that_the_server_would_cut_is_said(server: Server) -> None:
    """The error contains the maximum that the server allows."""
    text = "mcsps:rancher.tokenTtlHours: got 2161; allowed: at most 2160, the limit of the server (auth-token-max-ttl"
    assert server.refuses(token_ttl_hours=2161).startswith(text)
    server.set(Kind.SETTING, "auth-token-max-ttl-minutes", value="90")
    assert "allowed: at most 1.5, " in server.refuses(token_ttl_hours=2)
    server.set(Kind.SETTING, "auth-token-max-ttl-minutes", value="129600")
    assert look_up(replace(server.query, token_ttl_hours=2160)) == {"mine": CLUSTER}


@pytest.mark.parametrize("value", ["0", "none"])
def test_a_server_without_a_limit_takes_every_ttl(server: Server, value: str) -> None:
    """A server that does not report a limit accepts every ttl as well."""
    server.set(Kind.SETTING, "auth-token-max-ttl-minutes", value=value)
    assert look_up(replace(server.query, token_ttl_hours=8760)) == {"mine": CLUSTER}


def test_a_cluster_that_is_away_need_not_be_active(server: Server) -> None:
    """The check needs only its id."""
    server.set(Kind.CLUSTER, CLUSTER, state="unavailable")
    away = {name: replace(cluster, is_away=True) for name, cluster in server.query.clusters.items()}
    assert look_up(replace(server.query, clusters=away)) == {"mine": CLUSTER}
