"""Runs commands in containers, over a web socket of the API server."""

import contextlib
import json
import threading
import time
from dataclasses import dataclass, field

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream
from kubernetes.stream.ws_client import ERROR_CHANNEL
from websocket import WebSocketException

from ops.cluster.calls import ApiError

_INTERRUPT_SECONDS = 0.5
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True)
class ExecResult:
    """
    What a command in a container printed, and how it ended.

    Attributes:
        finished: False where the time was up.
        code: Its exit code; `None` where it did not start or the connection was lost.
        status: What the API server reports of its end; empty after exit code 0.
    """

    stdout: str = field(repr=False)
    stderr: str
    finished: bool
    code: int | None
    status: str = ""

    @property
    def error(self) -> str:
        """Why it failed, in the first line that it or the API server printed; empty where it succeeded."""
        if not self.finished:
            return "not finished in time"
        if self.code == 0:
            return ""
        lines = [line for text in (self.stderr, self.status) for line in text.splitlines() if line.strip()]
        reason = lines[0].strip()[:_SHOWN_CHARACTERS] if lines else "the connection ended before the command did"
        return reason if self.code is None else f"exit code {self.code}: {reason}"


def execute(  # noqa: PLR0913 - where, what, and for how long
    configuration: client.Configuration,
    *,
    namespace: str,
    pod: str,
    container: str,
    command: list[str],
    timeout_seconds: float,
    interrupted: threading.Event,
) -> ExecResult:
    """
    Run a command in a container until it ends, the time is up, or it is interrupted.

    Raises:
        ApiError: The API server does not start it.
    """
    # `stream` patches its client while the request runs, so each request has a client of its own.
    core = client.CoreV1Api(client.ApiClient(configuration))
    # A web socket's errors have many types, and their texts quote the server.
    try:
        socket = stream(
            core.connect_get_namespaced_pod_exec,
            pod,
            namespace,
            container=container,
            command=command,
            stdout=True,
            stderr=True,
            stdin=False,
            tty=False,
            _preload_content=False,
        )
        with contextlib.closing(socket):
            end = time.monotonic() + timeout_seconds
            while socket.is_open() and time.monotonic() < end and not interrupted.is_set():
                socket.run_forever(timeout=_INTERRUPT_SECONDS)
            finished = not socket.is_open()
            code, status = _end_of(socket.read_channel(ERROR_CHANNEL)) if finished else (None, "")
            return ExecResult(
                stdout=socket.read_stdout(timeout=0),
                stderr=socket.read_stderr(timeout=0),
                finished=finished,
                code=code,
                status=status,
            )
    except (ApiException, WebSocketException, OSError) as error:
        text = f"exec of {command[0]} in {namespace}/{pod} failed: {type(error).__name__}"
        raise ApiError(text) from None


def _end_of(status_json: str) -> tuple[int | None, str]:
    """Read a command's exit code and the API server's message; a program that did not start has no code."""
    try:
        status = json.loads(status_json)
        if status["status"] == "Success":
            return 0, ""
        causes = (status.get("details") or {}).get("causes") or ()
        codes = [int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"]
        return next(iter(codes), None), str(status.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, ""
