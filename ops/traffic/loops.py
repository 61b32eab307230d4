"""The curl loops: real requests, each made once and never again."""

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
    """How long a loop may take; what was not answered by then has failed."""
    return _START_SECONDS + requests / _SLOWEST_RATE


def ingress_url(address: str) -> str:
    """Where a cluster's ingress gateway serves helloworld."""
    return f"http://{bracketed(address)}{names.HELLOWORLD_PATH}"


def curl_options(headers: Mapping[str, str]) -> Iterator[str]:
    """Give the options by which curl sends headers."""
    for name, value in headers.items():
        yield from ("--header", f"{name}: {value}")


def through_ingress(  # noqa: PLR0913 - what is asked, of whom, and when no longer
    cluster: str,
    address: str,
    requests: int,
    interrupted: threading.Event,
    http: httpx.Client | None = None,
    *,
    headers: Mapping[str, str],
) -> TrafficFacts:
    """Ask an ingress gateway `requests` times, from here, until it is interrupted."""
    url = ingress_url(address)
    limits = httpx.Limits(max_connections=_CONCURRENCY)
    tally = Tally(requests)
    with (
        http or httpx.Client(timeout=_REQUEST_SECONDS, limits=limits, trust_env=False) as client,
        ThreadPoolExecutor(_CONCURRENCY) as pool,
    ):
        ask = _asker(
            partial(client.get, url, headers=headers), interrupted, deadline=time.monotonic() + loop_seconds(requests)
        )
        for outcome in pool.map(lambda _: ask(), range(requests)):
            if isinstance(outcome, str):
                tally.errors[outcome] += 1
            else:
                tally.add(*outcome)
    return TrafficFacts(cluster=cluster, source=TrafficSource.INGRESS, url=url, tally=tally)


def _asker(
    get: Callable[[], httpx.Response], interrupted: threading.Event, *, deadline: float
) -> Callable[[], tuple[int, str] | str]:
    def ask() -> tuple[int, str] | str:
        if interrupted.is_set() or time.monotonic() > deadline:
            return "not finished in time"
        try:
            answer = get()
        except httpx.HTTPError as error:
            return kube_errors.reason(error)
        return answer.status_code, answer.text

    return ask


def from_client(cluster: str, api: ClusterApi, pod: str, requests: int, *, headers: Mapping[str, str]) -> TrafficFacts:
    """Ask helloworld `requests` times from a client pod, by one curl and so over its sidecar."""
    # The VirtualServices match by path, so the query only makes curl repeat the request.
    command = [
        "curl",
        "--no-progress-meter",
        "--no-buffer",
        # A refused answer prints no body, so that every line printed is a good answer or a code.
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
