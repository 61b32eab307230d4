"""What `ops` reads of a cluster's objects, as plain typed values."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The pods of a Deployment: how many are wanted, and how many are ready."""

    wanted: int
    ready: int

    def __str__(self) -> str:
        """Return both numbers in words."""
        return f"{self.ready} of {self.wanted} pods ready"


@dataclass(frozen=True, kw_only=True)
class ServiceView:
    """
    A Service.

    Attributes:
        addresses: IP addresses and host names of its load balancer.
    """

    labels: Mapping[str, str]
    ports: tuple[int, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PodView:
    """A pod; `not_ready_reason` is the kubelet's text on why it is not ready; empty where it is."""

    name: str
    labels: Mapping[str, str]
    ip: str | None
    ready: bool
    created: datetime
    not_ready_reason: str


@dataclass(frozen=True, kw_only=True)
class SecretView:
    """A Secret, decoded."""

    name: str
    labels: Mapping[str, str]
    data: Mapping[str, bytes] = field(repr=False)


def secret_view(item: Any) -> SecretView:  # noqa: ANN401 - the library's generated models
    """Decode a Secret of the client library."""
    return SecretView(
        name=item.metadata.name,
        labels=dict(item.metadata.labels or {}),
        data={key: base64.b64decode(value) for key, value in (item.data or {}).items()},
    )


def pod_view(item: Any) -> PodView:  # noqa: ANN401 - as above
    """Summarize a pod of the client library."""
    conditions = {entry.type: entry for entry in item.status.conditions or ()}
    ready = "Ready" in conditions and conditions["Ready"].status == "True"
    statuses = [*(item.status.init_container_statuses or ()), *(item.status.container_statuses or ())]
    waiting = [
        f"{status.name}: {status.state.waiting.reason}"
        for status in statuses
        if status.state and status.state.waiting and status.state.waiting.reason
    ]
    scheduled = conditions.get("PodScheduled")
    if scheduled and scheduled.status == "False":
        waiting.insert(0, str(scheduled.message))
    return PodView(
        name=item.metadata.name,
        labels=dict(item.metadata.labels or {}),
        ip=item.status.pod_ip,
        ready=ready,
        created=item.metadata.creation_timestamp,
        not_ready_reason="" if ready else "; ".join(waiting) or str(item.status.phase),
    )


def service_view(item: Any) -> ServiceView:  # noqa: ANN401 - as above
    """Summarize a Service of the client library."""
    ingress = item.status.load_balancer.ingress or ()
    return ServiceView(
        labels=dict(item.metadata.labels or {}),
        ports=tuple(port.port for port in item.spec.ports or ()),
        addresses=tuple(entry.ip or entry.hostname for entry in ingress),
    )
