"""
Assigns addresses to the Services of type LoadBalancer of one cluster.

`up` starts this program for every cluster. It stores nothing: it reads the assigned addresses from the Services, so it
can restart at any time. It does not route traffic: the node answers for the whole pool, and kube-proxy forwards.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated

import typer
from kubernetes import client, watch
from kubernetes.client.exceptions import ApiException
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential
from urllib3.exceptions import HTTPError

from kube import errors as kube_errors
from lab.clusters import addons
from lab.spec import MAX_CLUSTERS, clusters, find

_WATCH_SECONDS = 300
_LOG = logging.getLogger("loadbalancer")


@dataclass(frozen=True)
class Claim:
    """A Service that needs an address; `address` is the current one, if any."""

    namespace: str
    name: str
    address: IPv4Address | None


def assign(claims: Iterable[Claim], pool: IPv4Network) -> Mapping[Claim, IPv4Address]:
    """
    Return an address for each claim that needs a new one: pure.

    Assigned addresses stay. New ones are the lowest free ones, without the first and last of the pool. If two claims
    have the same address, the second by name gets a new one. If the pool is exhausted, the remaining claims get none.
    """
    taken: set[IPv4Address] = set()
    lacking: list[Claim] = []
    for claim in sorted(claims, key=lambda it: (it.namespace, it.name)):
        if claim.address and claim.address in pool and claim.address not in taken:
            taken.add(claim.address)
        else:
            lacking.append(claim)
    free = (address for address in pool.hosts() if address not in taken)
    return dict(zip(lacking, free, strict=False))


def claim_of(service: client.V1Service) -> Claim | None:
    """Return the Service's claim; None if it uses no load balancer or another one."""
    metadata, spec = service.metadata, service.spec
    if not (metadata and spec) or spec.type != "LoadBalancer" or spec.load_balancer_class:
        return None
    if metadata.deletion_timestamp:
        return None
    balancer = service.status.load_balancer if service.status else None
    ingress = (balancer.ingress if balancer else None) or ()
    addresses = [IPv4Address(entry.ip) for entry in ingress if entry.ip]
    return Claim(str(metadata.namespace), str(metadata.name), next(iter(addresses), None))


def reconcile(api: client.CoreV1Api, pool: IPv4Network) -> str:
    """Assign an address to every Service; return the resource version of the list that was read."""
    services = api.list_service_for_all_namespaces()
    claims = [claim for service in services.items if (claim := claim_of(service))]
    for claim, address in assign(claims, pool).items():
        status = {"loadBalancer": {"ingress": [{"ip": str(address), "ipMode": "VIP"}]}}
        try:
            api.patch_namespaced_service_status(claim.name, claim.namespace, {"status": status})
        except ApiException as error:
            if error.status != HTTPStatus.NOT_FOUND:  # deleted since the list was read
                raise
        else:
            _LOG.info("%s/%s has %s", claim.namespace, claim.name, address)
    return str(services.metadata.resource_version) if services.metadata else ""


def follow(api: client.CoreV1Api, pool: IPv4Network) -> None:
    """Reconcile whenever a Service changes, until the API server ends the watch."""
    version = reconcile(api, pool)
    changes = watch.Watch().stream(  # type: ignore[no-untyped-call]
        api.list_service_for_all_namespaces,
        resource_version=version,
        timeout_seconds=_WATCH_SECONDS,
    )
    for _ in changes:
        reconcile(api, pool)


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, ApiException | HTTPError):
        # The text of an ApiException contains pages of response headers.
        _LOG.warning("%s; retrying", kube_errors.describe(error))


def main(cluster: Annotated[str, typer.Option(help="The name of the cluster.")]) -> None:
    """Assign addresses to LoadBalancer Services until stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    spec = find(cluster, clusters(MAX_CLUSTERS))
    api = client.CoreV1Api(addons.connect(spec, "loadbalancer"))
    while True:
        for attempt in Retrying(
            # The API server may restart, and its watches expire.
            retry=retry_if_exception_type((HTTPError, ApiException)),
            wait=wait_exponential(multiplier=0.5, max=2),
            before_sleep=_log_retry,
        ):
            with attempt:
                follow(api, spec.pool)


if __name__ == "__main__":
    typer.run(main)
