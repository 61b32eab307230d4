"""The request loops: real requests, each sent once and never repeated."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

from kube import errors as kube_errors
from mesh import names
from ops.cluster import client_pod
from ops.cluster.address import bracketed
from ops.cluster.api import ClusterApi
from ops.cluster.calls import ApiError
from ops.traffic.source import TrafficSource
from ops.traffic.split import Tally, parse_curl
from ops.verify.facts import TrafficFacts

_CONCURRENCY = 8
_REQUEST_SECONDS = 5.0
_SLOWEST_RATE = 20
_START_SECONDS = 30

CLIENT_URL = f"http://{names.HELLOWORLD}.{names.APP_NAMESPACE}:{names.HELLOWORLD_PORT}{names.HELLOWORLD_PATH}"


def loop_seconds(requests: int) -> float:
    """Return how long a loop may take; a request without an answer by then has failed."""
    return _START_SECONDS + requests / _SLOWEST_RATE


def ingress_url(address: str) -> str:
    """Return where an ingress gateway serves helloworld."""
    return f"http://{bracketed(address)}{names.HELLOWORLD_PATH}"


def curl_options(headers: Mapping[str, str]) -> Iterator[str]:
    """Yield the options by which curl sends headers."""
    for name, value in headers.items():
        yield from ("--header", f"{name}: {value}")


def through_ingress(  # noqa: PLR0913 - what to send, where, and until when
    cluster: str,
    address: str,
    requests: int,
    interrupted: threading.Event,
    http: httpx.Client | None = None,
    *,
    headers: Mapping[str, str],
) -> TrafficFacts:
    """Send requests to an ingress gateway from this machine, until they are interrupted."""
    url = ingress_url(address)
    limits = httpx.Limits(max_connections=_CONCURRENCY)
    tally = Tally(requests)
    with (
        http or httpx.Client(timeout=_REQUEST_SECONDS, limits=limits, trust_env=False) as client,
        ThreadPoolExecutor(_CONCURRENCY) as pool,
    ):
        send = _sender(
            partial(client.get, url, headers=headers), interrupted, deadline=time.monotonic() + loop_seconds(requests)
        )
        for outcome in pool.map(lambda _: send(), range(requests)):
            if isinstance(outcome, str):
                tally.errors[outcome] += 1
            else:
                tally.add(*outcome)
    return TrafficFacts(cluster=cluster, source=TrafficSource.INGRESS, url=url, tally=tally)


def _sender(
    get: Callable[[], httpx.Response], interrupted: threading.Event, *, deadline: float
) -> Callable[[], tuple[int, str] | str]:
    def send() -> tuple[int, str] | str:
        if interrupted.is_set() or time.monotonic() > deadline:
            return "not finished in time"
        try:
            answer = get()
        except httpx.HTTPError as error:
            return kube_errors.reason(error)
        return answer.status_code, answer.text

    return send


def from_client(cluster: str, api: ClusterApi, pod: str, requests: int, *, headers: Mapping[str, str]) -> TrafficFacts:
    """Send requests to helloworld from a client pod by one curl, and so through its sidecar."""
    # The VirtualServices match by path; the query only makes curl repeat the request.
    command = [
        "curl",
        "--no-progress-meter",
        "--no-buffer",
        # An HTTP error prints no body, so each printed line is a good answer or a code.
        "--fail",
        "--parallel",
        "--parallel-max",
        str(_CONCURRENCY),
        "--max-time",
        str(int(_REQUEST_SECONDS)),
        "--write-out",
        r"#%{http_code}\n",
        *curl_options(headers),
        f"{CLIENT_URL}?[1-{requests}]",
    ]
    try:
        done = api.execute(names.APP_NAMESPACE, pod, client_pod.CONTAINER, command, loop_seconds(requests))
    except ApiError as error:
        tally, reason = Tally(requests), str(error)
    else:
        tally = parse_curl(done.stdout, requests, cut_off_reason=done.error)
        reason = "" if done.stdout else done.error
    return TrafficFacts(cluster=cluster, source=TrafficSource.CLIENT, url=CLIENT_URL, tally=tally, error=reason)
