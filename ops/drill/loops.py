"""
The request loops: a steady rate from this machine to each ingress, and from each client pod through its sidecar.

Each request has a connection of its own, and does not wait for the one before it. Both kinds take their times from one
clock: the lab's nodes are on this machine.
"""

import contextlib
import math
import shlex
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import httpx

from kube import errors as kube_errors
from mesh import names
from ops.cluster import client_pod
from ops.cluster.api import ClusterApi
from ops.drill.answers import Answer, answered, parse_log
from ops.traffic.loops import CLIENT_URL, curl_options, ingress_url
from ops.traffic.source import TrafficSource

REQUEST_SECONDS = 5
"""A request without an answer by then has failed."""
LONGEST_SECONDS = 2 * REQUEST_SECONDS
"""By then a request has ended: at an ingress, the limit holds for the connection and again for the answer."""
CLIENT_MEMORY = "256Mi"
"""Room for all curls that start while one waits for the whole time."""


class Source(Protocol):
    """Where requests start."""

    @property
    def cluster(self) -> str:
        """The cluster at which they enter the mesh."""

    @property
    def kind(self) -> TrafficSource:
        """At its ingress gateway, or from a client pod."""

    def answers(self, since: float) -> Sequence[Answer]:
        """
        Return the requests that began since then (seconds since 1970) and have ended.

        Raises:
            ApiError: The source cannot be read now.
        """


class IngressLoop:
    """Sends requests to an ingress gateway from this machine."""

    kind = TrafficSource.INGRESS

    def __init__(self, cluster: str, address: str, rate: float, http: httpx.Client) -> None:
        """Take the requests per second, and the client that sends them."""
        self.cluster = cluster
        self._url = ingress_url(address)
        self._gap = 1 / rate
        self._http = http
        self._answers: list[Answer] = []
        self._ended = threading.Event()

    def answers(self, since: float) -> Sequence[Answer]:
        """Return the requests that have ended."""
        return [answer for answer in tuple(self._answers) if answer.began >= since]

    def run(self) -> None:
        """Send requests until `end` is called."""
        # While one request waits, others must start.
        with ThreadPoolExecutor(math.ceil(REQUEST_SECONDS / self._gap) + 1) as pool:
            due = time.monotonic()
            while not self._ended.wait(max(0.0, due - time.monotonic())):
                pool.submit(self._send)
                due = max(due + self._gap, time.monotonic())

    def end(self) -> None:
        """Start no more requests."""
        self._ended.set()

    def _send(self) -> None:
        began = time.time()
        try:
            answer = self._http.get(self._url)
        except httpx.HTTPError as error:
            self._answers.append(Answer(began=began, ended=time.time(), error=kube_errors.reason(error)))
        else:
            self._answers.append(answered(began, time.time(), answer.status_code, answer.text))


@contextlib.contextmanager
def ingress_loop(cluster: str, address: str, rate: float, *, headers: Mapping[str, str]) -> Iterator[IngressLoop]:
    """Run a loop of `rate` requests per second in the background."""
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(headers=headers, timeout=REQUEST_SECONDS, limits=limits, trust_env=False) as client:
        loop = IngressLoop(cluster, address, rate, client)
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            yield loop
        finally:
            loop.end()
            thread.join()


@dataclass(frozen=True, kw_only=True)
class ClientLoop:
    """Reads the log of a client pod that runs `client_command`."""

    cluster: str
    api: ClusterApi
    pod: str
    kind: TrafficSource = TrafficSource.CLIENT

    def answers(self, since: float) -> Sequence[Answer]:
        """Read the pod's log, which the pod also writes while its node is cut off."""
        seconds = math.ceil(time.time() - since) + 1
        text = self.api.log(names.APP_NAMESPACE, self.pod, client_pod.CONTAINER, seconds)
        return [answer for answer in parse_log(text) if answer.began >= since]


def client_command(rate: float, *, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return a command that sends `rate` requests per second to helloworld and prints one line for each."""
    # `echo` writes a line at once, so lines do not mix; `set -f` keeps an answer from being a file name pattern.
    options = ("--silent", "--max-time", str(REQUEST_SECONDS), "--write-out", " #%{http_code} %{time_total}")
    curl = shlex.join(("curl", *options, *curl_options(headers), CLIENT_URL))
    return "sh", "-c", f"set -f; while :; do echo $({curl}) & sleep {1 / rate:.3f}; done"
