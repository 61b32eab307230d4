"""The queries of all clusters before any change."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from starlette.applications import Starlette

from config.preflight import clusters
from config.preflight.clusters import ClusterFacts, ClusterQuery
from errors import UserError
from tests.support import live
from tests.support.leaks import fake_secret

TOKEN = fake_secret("token of a kubeconfig")
Answers = Mapping[str, tuple[int, object]]
"""Status and body by path."""


def healthy(uid: str = "uid-1") -> Answers:
    """Return the answers of a healthy cluster."""
    return {
        "/version/": (200, {"gitVersion": "v1.31.4", "major": "1", "minor": "31"} | BUILD),
        "/api/v1/namespaces/kube-system": (200, {"metadata": {"name": "kube-system", "uid": uid}}),
    }


BUILD = dict.fromkeys(("buildDate", "compiler", "gitCommit", "gitTreeState", "goVersion", "platform"), "x")


@contextmanager
def serving(answers: Answers) -> Iterator[str]:
    """Serve answers on loopback; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, {}))
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def silent() -> Iterator[str]:
    """Accept connections, and never answer; yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def query(server: str, *, name: str = "west", index: int = 1) -> ClusterQuery:
    """Return the query of a cluster at a server."""
    text = yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": server}}],
            "users": [{"name": name, "user": {"token": TOKEN}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )
    return ClusterQuery(name=name, key=f"mcsps:clusters[{index}]", kubeconfig=text)


def refused(*queries: ClusterQuery) -> UserError:
    """Return the error of the queries, after a check that it quotes no credential."""
    with pytest.raises(UserError) as caught:
        clusters.ask(queries, timeout_seconds=0.5)
    assert TOKEN not in str(caught.value)
    return caught.value


def test_a_cluster_that_answers_tells_its_version_and_its_identity() -> None:
    """The identity is the UID of a namespace that lives as long as the cluster."""
    with serving(healthy()) as url:
        assert clusters.ask([query(url)]) == {"west": ClusterFacts(identity="uid-1", version="v1.31.4")}


def test_no_cluster_is_no_question() -> None:
    """Without clusters, the query succeeds."""
    assert clusters.ask([]) == {}


def test_a_cluster_that_is_silent_is_named_with_the_way_around_it() -> None:
    """The error names the key `away`, which the user can set at once."""
    with silent() as url:
        error = refused(query(url))
    assert error.key == "mcsps:clusters[1]"
    assert error.message.startswith(f"cluster west at {url} does not answer: ")
    assert "mcsps:clusters[1].away to true" in error.remedy


def test_a_cluster_that_refuses_connections_is_told_like_one_that_is_silent() -> None:
    """The program cannot reach the cluster in either case."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = refused(query(f"http://127.0.0.1:{port}"))
    assert "does not answer: Connection refused" in error.message
    assert ".away" in error.remedy


def test_a_certificate_of_an_unknown_ca_is_no_reason_to_move_away(tmp_path: Path) -> None:
    """The remedy is to put the CA into the access."""
    live.certify(tmp_path)
    with live.listening() as sock, live.served(Starlette(), sock, tmp_path):
        error = refused(query(f"https://127.0.0.1:{sock.getsockname()[1]}"))
    assert error.key == "mcsps:clusters[1].access"
    assert "has a certificate that its access does not trust" in error.message
    assert "away" not in error.remedy


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_no_reason_to_move_away(status: int) -> None:
    """The remedy is to repair the access, and the error names the key of the access."""
    with serving({**healthy(), "/api/v1/namespaces/kube-system": (status, {})}) as url:
        error = refused(query(url))
    assert error.key == "mcsps:clusters[1].access"
    assert f"refuses the credential of its access: {status}" in error.message
    assert "away" not in error.remedy


def test_an_api_server_that_fails_may_be_moved_away_from() -> None:
    """A proxy gives such an answer if the cluster behind it is down."""
    with serving({"/version/": (503, {})}) as url:
        error = refused(query(url))
    assert "answers 503" in error.message
    assert ".away" in error.remedy


@pytest.mark.parametrize("body", [b"<html>", b'"text"'])
def test_what_is_no_kubernetes_api_is_told(body: bytes) -> None:
    """A kubeconfig can contain the address of any server."""
    with serving({**healthy(), "/version/": (200, body), "/api/v1/namespaces/kube-system": (200, body)}) as url:
        error = refused(query(url))
    assert error.key == "mcsps:clusters[1].access"


def test_all_clusters_that_do_not_answer_are_named() -> None:
    """The program queries all clusters at the same time, and does not stop at the first error."""
    with silent() as first, silent() as second:
        error = refused(query(first, name="east", index=0), query(second))
    assert error.key == "mcsps:clusters[0]"
    assert "cluster east" in error.message
    assert "mcsps:clusters[1]: cluster west" in error.message


def test_two_entries_for_one_cluster_are_refused() -> None:
    """The program would write the same objects for both entries."""
    with serving(healthy()) as url:
        error = refused(query(url, name="east", index=0), query(url))
    assert str(error).startswith("mcsps:clusters[1].access: leads to the same cluster as mcsps:clusters[0]; allowed:")


def test_a_kubeconfig_that_the_client_cannot_use_is_told() -> None:
    """The error comes before any request."""
    broken = ClusterQuery(name="west", key="mcsps:clusters[1]", kubeconfig="kind: Config")
    assert refused(broken).key == "mcsps:clusters[1].access"
