"""
The request loops: a steady rate from here to each ingress, and from each client pod over its sidecar.

Each request is made over a connection of its own, whether or not the one before it was answered. Both kinds keep their
answers with times of one clock: the lab's nodes are on this machine.
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
"""What was not answered by then has failed."""
LONGEST_SECONDS = 2 * REQUEST_SECONDS
"""Until a request has surely ended: through an ingress it may take its time to connect, and as much again to answer."""
CLIENT_MEMORY = "256Mi"
"""As many curls as are begun while one waits for the whole time."""


class Source(Protocol):
    """Where requests start."""

    @property
    def cluster(self) -> str:
        """The cluster at which they enter the mesh."""

    @property
    def kind(self) -> TrafficSource:
        """By its ingress, or from a client in it."""

    def answers(self, since: float) -> Sequence[Answer]:
        """
        Give the requests that have begun since then (seconds since 1970) and have ended.

        Raises:
            ApiError: It cannot be asked now.
        """


class IngressLoop:
    """Asks an ingress gateway from here."""

    kind = TrafficSource.INGRESS

    def __init__(self, cluster: str, address: str, rate: float, http: httpx.Client) -> None:
        """Take the requests to make in a second as `rate`, and what they carry with `http`."""
        self.cluster = cluster
        self._url = ingress_url(address)
        self._gap = 1 / rate
        self._http = http
        self._answers: list[Answer] = []
        self._ended = threading.Event()

    def answers(self, since: float) -> Sequence[Answer]:
        """Give what has ended."""
        return [answer for answer in tuple(self._answers) if answer.began >= since]

    def run(self) -> None:
        """Make requests until it is ended."""
        # While one waits for all its time, others must begin.
        with ThreadPoolExecutor(math.ceil(REQUEST_SECONDS / self._gap) + 1) as pool:
            due = time.monotonic()
            while not self._ended.wait(max(0.0, due - time.monotonic())):
                pool.submit(self._ask)
                due = max(due + self._gap, time.monotonic())

    def end(self) -> None:
        """Begin no more requests."""
        self._ended.set()

    def _ask(self) -> None:
        began = time.time()
        try:
            answer = self._http.get(self._url)
        except httpx.HTTPError as error:
            self._answers.append(Answer(began=began, ended=time.time(), error=kube_errors.reason(error)))
        else:
            self._answers.append(answered(began, time.time(), answer.status_code, answer.text))


@contextlib.contextmanager
def ingress_loop(cluster: str, address: str, rate: float, *, headers: Mapping[str, str]) -> Iterator[IngressLoop]:
    """Run a loop of `rate` requests in a second in the background."""
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
    """Reads what a client pod prints that runs `client_command`."""

    cluster: str
    api: ClusterApi
    pod: str
    kind: TrafficSource = TrafficSource.CLIENT

    def answers(self, since: float) -> Sequence[Answer]:
        """Read the pod's log, which goes on while its node is cut off."""
        seconds = math.ceil(time.time() - since) + 1
        text = self.api.log(names.APP_NAMESPACE, self.pod, client_pod.CONTAINER, seconds)
        return [answer for answer in parse_log(text) if answer.began >= since]


def client_command(rate: float, *, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Ask helloworld `rate` times in a second for as long as the pod lives, and print one line for each request."""
    # In one piece, for the lines of two requests must not mix; and never as a file name's pattern.
    asked = ("--silent", "--max-time", str(REQUEST_SECONDS), "--write-out", " #%{http_code} %{time_total}")
    curl = shlex.join(("curl", *asked, *curl_options(headers), CLIENT_URL))
    return "sh", "-c", f"set -f; while :; do echo $({curl}) & sleep {1 / rate:.3f}; done"
