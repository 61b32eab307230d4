"""The API client of one cluster, against a real HTTP server and a double of its socket."""

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from kubernetes import client
from websocket import WebSocketConnectionClosedException

from ops.cluster.api import ClusterApi
from ops.cluster.calls import ApiError
from ops.cluster.execution import ExecResult
from ops.cluster.views import Workload

SECRET = secrets.token_hex(16)
CREATED = "2026-11-25T10:00:00Z"


VERSION_KEYS = ("major", "minor", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform")
DEPLOYMENT = {
    "metadata": {"name": "d"},
    "spec": {"replicas": 2, "selector": {}, "template": {}},
    "status": {"unavailableReplicas": 2},
}
SERVICE = {
    "metadata": {"name": "s"},
    "spec": {"ports": [{"port": 80}]},
    "status": {"loadBalancer": {"ingress": [{"ip": "198.18.0.1"}, {"hostname": "lb.example.org"}]}},
}
WAITING = {"name": "c", "image": "", "imageID": "", "ready": False, "restartCount": 0}
WAITING |= {"state": {"waiting": {"reason": "ErrImagePull"}}}


class ApiServer:
    """Returns the given answers to GETs by path, and 404 for other paths; records the requests."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: list[tuple[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                outer.asked.append((self.command, self.path))
                path = self.path.partition("?")[0]
                status, body = outer.answers.get(path, (404, {"kind": "Status", "message": SECRET}))
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_DELETE = do_PATCH = do_POST = _answer  # noqa: N815 - as http.server spells them

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """Run an API server."""
    made = ApiServer()
    yield made
    made.close()


@pytest.fixture
def api(server: ApiServer) -> ClusterApi:
    """Return a client of the server."""
    return ClusterApi(client.Configuration(host=f"http://127.0.0.1:{server.port}"))


def pod(name: str, *, ready: bool = False, **more: object) -> dict[str, Any]:
    """Return a pod as the API returns it; `more` is added to its status."""
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "metadata": {"name": name, "creationTimestamp": CREATED},
        "status": {"phase": "Pending", "podIP": "10.42.0.9", "conditions": conditions, **more},
    }


def test_what_exists_is_read_into_plain_values(api: ClusterApi, server: ApiServer) -> None:
    """This holds for each kind that `verify` reads."""
    server.answers = {
        "/version/": (200, {"gitVersion": "v1.35.4", **dict.fromkeys(VERSION_KEYS, "")}),
        "/api/v1/namespaces/istio-system": (200, {"metadata": {"name": "istio-system", "labels": {"a": "b"}}}),
        "/api/v1/namespaces/n/configmaps/c": (200, {"metadata": {"name": "c"}, "data": {"key": "value"}}),
        "/apis/apps/v1/namespaces/n/deployments/d": (200, DEPLOYMENT),
        "/api/v1/namespaces/n/services/s": (200, SERVICE),
        "/api/v1/namespaces/n/secrets/x": (200, stored("x")),
        "/api/v1/namespaces/n/secrets": (200, {"items": [stored("x")]}),
        "/api/v1/namespaces/n/pods/p": (200, pod("p", ready=True)),
    }
    assert api.version() == "v1.35.4"
    assert api.namespace_labels("istio-system") == {"a": "b"}
    assert api.config_map("n", "c") == {"key": "value"}
    assert api.deployment("n", "d") == Workload(wanted=2, ready=0)
    service = api.service("n", "s")
    assert service is not None
    assert (service.ports, service.addresses, service.labels) == ((80,), ("198.18.0.1", "lb.example.org"), {})
    secret = api.secret("n", "x")
    assert secret is not None
    assert secret.data == {"key": SECRET.encode()}
    assert SECRET not in repr(secret)
    assert [found.name for found in api.secrets("n", "a=b")] == ["x"]
    found = api.pod("n", "p")
    assert found is not None
    assert (found.ready, found.not_ready_reason) == (True, "")


def test_the_deployments_that_an_autoscaler_targets_are_known_by_name(api: ClusterApi, server: ApiServer) -> None:
    """Autoscalers of other kinds are left out."""
    targets = [{"kind": "Deployment", "name": "d"}, {"kind": "StatefulSet", "name": "s"}]
    items = [{"metadata": {"name": "a"}, "spec": {"maxReplicas": 5, "scaleTargetRef": target}} for target in targets]
    server.answers["/apis/autoscaling/v1/namespaces/n/horizontalpodautoscalers"] = (200, {"items": items})
    assert api.autoscaled("n") == {"d"}


def test_a_deployment_is_scaled_and_nothing_else_of_it_is_changed(api: ClusterApi, server: ApiServer) -> None:
    """The client patches the scale, so the fields that Pulumi declared stay unchanged."""
    path = "/apis/apps/v1/namespaces/n/deployments/d/scale"
    server.answers[path] = (200, {"metadata": {"name": "d"}, "spec": {"replicas": 0}})
    api.scale("n", "d", 0)
    assert server.asked == [("PATCH", path)]


def test_istios_objects_are_read_by_their_spec(api: ClusterApi, server: ApiServer) -> None:
    """The result is `None` if the object does not exist."""
    path = "/apis/networking.istio.io/v1beta1/namespaces/n/destinationrules/r"
    server.answers[path] = (200, {"metadata": {"name": "r"}, "spec": {"host": "h"}})
    assert api.istio_spec("n", "destinationrules", "r") == {"host": "h"}
    assert api.istio_spec("n", "destinationrules", "other") is None


def test_a_log_is_text_with_the_time_of_each_line(api: ClusterApi, server: ApiServer) -> None:
    """The client does not parse a log that looks like JSON."""
    server.answers["/api/v1/namespaces/n/pods/p/log"] = (200, {"looks": "like JSON"})
    assert api.log("n", "p", "c", 5) == '{"looks": "like JSON"}'
    (_, path), *_ = server.asked
    assert {"container=c", "sinceSeconds=5", "timestamps=true"} <= set(path.partition("?")[2].split("&"))


def stored(name: str) -> Mapping[str, object]:
    """Return a Secret as the API returns it."""
    return {"metadata": {"name": name}, "data": {"key": base64.b64encode(SECRET.encode()).decode()}}


def test_what_clusters_share_is_read_as_manifests(api: ClusterApi, server: ApiServer) -> None:
    """Manifests keep the API's spelling and get the kind that lists omit; an unknown kind has none."""
    route = {"kind": "VirtualService", "metadata": {"name": "r", "namespace": "n"}, "spec": {"hosts": ["*"]}}
    server.answers = {
        "/api/v1/namespaces/n": (200, {"metadata": {"name": "n"}}),
        "/api/v1/namespaces/n/services": (
            200,
            {"items": [{"metadata": {"name": "s"}, "spec": {"clusterIP": "1.2.3.4"}}]},
        ),
        "/apis/networking.istio.io/v1beta1/namespaces/n/virtualservices": (200, {"items": [route]}),
    }
    assert api.shared("n") == (
        {"kind": "Namespace", "metadata": {"name": "n"}},
        {"kind": "Service", "metadata": {"name": "s"}, "spec": {"clusterIP": "1.2.3.4"}},
        route,
    )
    server.answers = {"/api/v1/namespaces/n/services": (200, {"items": []})}
    assert api.shared("n") == ()


def test_what_does_not_exist_is_none(api: ClusterApi) -> None:
    """The deletion of an absent object is no error."""
    assert api.namespace_labels("n") is None
    assert api.config_map("n", "c") is None
    assert api.deployment("n", "d") is None
    assert api.service("n", "s") is None
    assert api.secret("n", "x") is None
    assert api.pod("n", "p") is None
    api.delete_pod("n", "p")


def test_a_refusal_names_status_and_reason_alone(api: ClusterApi, server: ApiServer) -> None:
    """The error omits everything else that the server wrote."""
    server.answers["/api/v1/namespaces/n/pods"] = (403, {"message": SECRET})
    with pytest.raises(ApiError, match=r"^the API answered 403 Forbidden$"):
        api.pods("n", "a=b")
    with pytest.raises(ApiError, match=r"^the API answered 404 Not Found$"):
        api.create_pod("other", {})


def test_a_server_that_is_not_there_is_no_connection(api: ClusterApi, server: ApiServer) -> None:
    """The error has the system's text, and the client does not retry."""
    server.close()
    with pytest.raises(ApiError, match=r"^no connection: Connection refused$"):
        api.version()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ({}, "Pending"),
        ({"containerStatuses": [WAITING]}, "c: ErrI"),
        ({"conditions": [{"type": "PodScheduled", "status": "False", "message": "no node fits"}]}, "no node fits"),
    ],
    ids=["only a phase", "a container waits", "not scheduled"],
)
def test_a_pod_that_is_not_ready_says_why(
    api: ClusterApi, server: ApiServer, status: dict[str, Any], error: str
) -> None:
    """The reason is the kubelet's or the scheduler's."""
    being_deleted = pod("old")
    being_deleted["metadata"]["deletionTimestamp"] = CREATED
    server.answers["/api/v1/namespaces/n/pods"] = (200, {"items": [pod("p", **status), being_deleted]})
    (found,) = api.pods("n", "a=b")
    assert found.not_ready_reason.startswith(error)


class Socket:
    """The socket of a command. The command has ended unless the test keeps it running."""

    def __init__(self, status: object, *, stdout: str = "", stderr: str = "", goes_on: bool = False) -> None:
        self._status = status if isinstance(status, str) else json.dumps(status)
        self._stdout, self._stderr, self._open = stdout, stderr, goes_on
        self.closed = False

    def is_open(self) -> bool:
        """Return whether the command is running."""
        return self._open

    def run_forever(self, timeout: float) -> None:
        """Wait without input."""
        time.sleep(timeout)

    def read_channel(self, _channel: int) -> str:
        """Return the command's status as the API server sends it."""
        return self._status

    def read_stdout(self, timeout: float) -> str:
        """Return the standard output."""
        del timeout
        return self._stdout

    def read_stderr(self, timeout: float) -> str:
        """Return the standard error."""
        del timeout
        return self._stderr

    def close(self) -> None:
        """Close the socket."""
        self.closed = True


def execute(monkeypatch: pytest.MonkeyPatch, socket: Socket, **options: Any) -> ExecResult:  # noqa: ANN401
    """Run `curl` over this socket."""
    monkeypatch.setattr("ops.cluster.execution.stream", lambda *_, **__: socket)
    api = ClusterApi(client.Configuration(host="http://127.0.0.1:1"), options.pop("interrupted", None))
    return api.execute("sample", "client", "client", ["curl"], options.pop("seconds", 5))


NOT_FOUND = {
    "status": "Failure",
    "message": 'exec: "curl": executable file not found in $PATH',
    "reason": "InternalError",
    "details": {"causes": [{"message": "unable to start container process"}]},
}
EXITED = {
    "status": "Failure",
    "message": "command terminated with non-zero exit code: exit status 2",
    "reason": "NonZeroExitCode",
    "details": {"causes": [{"reason": "ExitCode", "message": "2"}]},
}


@pytest.mark.parametrize(
    ("status", "stderr", "code", "error"),
    [
        ({"status": "Success"}, "", 0, ""),
        ({"status": "Success"}, "a warning", 0, ""),
        (EXITED, "\ncurl: (2) no such option\nmore", 2, "exit code 2: curl: (2) no such option"),
        (EXITED, "", 2, "exit code 2: command terminated with non-zero exit code: exit status 2"),
        (NOT_FOUND, "", None, 'exec: "curl": executable file not found in $PATH'),
        ({"status": "Failure", "message": "gone", "details": None}, "", None, "gone"),
        ("", "", None, "the connection ended before the command did"),
        ("no JSON", "", None, "the connection ended before the command did"),
        ([], "", None, "the connection ended before the command did"),
    ],
)
def test_the_end_of_a_command_is_told_by_its_first_line(
    monkeypatch: pytest.MonkeyPatch, status: object, stderr: str, code: int | None, error: str
) -> None:
    """It is the command's line, else the API server's. A program that did not start has no exit code."""
    socket = Socket(status, stdout="out", stderr=stderr)
    done = execute(monkeypatch, socket)
    assert (done.stdout, done.finished, done.code, done.error) == ("out", True, code, error)
    assert socket.closed


def test_a_command_that_goes_on_is_cut_off_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result contains the output up to the timeout."""
    socket = Socket("", stdout="half", goes_on=True)
    done = execute(monkeypatch, socket, seconds=0.1)
    assert (done.stdout, done.code, done.error) == ("half", None, "not finished in time")
    assert socket.closed


def test_an_interrupt_cuts_a_command_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends long before its timeout."""
    interrupted = threading.Event()
    threading.Timer(0.1, interrupted.set).start()
    started = time.monotonic()
    execute(monkeypatch, Socket("", goes_on=True), interrupted=interrupted, seconds=60)
    assert time.monotonic() - started < 5


def test_a_lost_connection_names_the_command_and_nothing_of_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own messages would quote the server's answer."""

    def lose(*_: object, **__: object) -> None:
        raise WebSocketConnectionClosedException(SECRET)

    monkeypatch.setattr("ops.cluster.execution.stream", lose)
    with pytest.raises(ApiError, match=r"^exec of curl in sample/client failed: ") as caught:
        ClusterApi(client.Configuration(host="http://127.0.0.1:1")).execute("sample", "client", "c", ["curl", "-v"], 1)
    assert SECRET not in str(caught.value)
