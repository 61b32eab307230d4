"""
Waits until objects are ready by Pulumi's rules, and reports what is missing.

Kinds for which Pulumi has rules that are not implemented here are refused by name.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Final

from errors import UserError
from lab.standin import paths
from lab.standin.cluster import ObjectIdentity

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.standin.cluster import ClusterApi
    from recorder.values import Properties

DEFAULT_SECONDS: Final = 600
_POLL_SECONDS: Final = 0.4
_SKIP: Final = "pulumi.com/skipAwait"
_TIMEOUT: Final = "pulumi.com/timeoutSeconds"
_WAIT_FOR: Final = "pulumi.com/waitFor"
_NOT_KNOWN: Final = frozenset(
    {"PersistentVolume", "PersistentVolumeClaim", "Pod", "ReplicationController"}
    | {"apps/DaemonSet", "apps/StatefulSet", "batch/Job", "networking.k8s.io/Ingress"}
)
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def wait_until_ready(
    cluster: ClusterApi, applied: Properties, timeout: str | None, report: Callable[[str], None]
) -> Properties:
    """
    Wait until an applied object is ready.

    Args:
        cluster: The cluster of the object.
        applied: The object as the server returned it.
        timeout: The resource's own timeout as a Go duration; it overrides the annotation.
        report: Receives what is missing, after every query.

    Returns:
        The object in its ready state.

    Raises:
        UserError: It is not ready in time; the message says what is missing.
    """
    identity = ObjectIdentity.of(applied)
    seconds = timeout_seconds(applied, timeout)
    deadline = time.monotonic() + seconds
    live = applied
    while missing := what_is_missing(cluster, live):
        report(missing)
        if time.monotonic() > deadline:
            raise UserError(f"{identity} is not ready after {seconds:g} s: {missing}")
        time.sleep(_POLL_SECONDS)
        found = cluster.get(identity)
        if found is None:
            raise UserError(f"another program deleted {identity} before it was ready")
        live = found
    return live


def wait_until_gone(cluster: ClusterApi, identity: ObjectIdentity, report: Callable[[str], None]) -> None:
    """
    Wait until an object is deleted.

    Raises:
        UserError: It still exists after the timeout; the message lists its finalizers.
    """
    deadline = time.monotonic() + DEFAULT_SECONDS
    uid = None
    while (live := cluster.get(identity)) is not None:
        uid = uid or live["metadata"]["uid"]
        if live["metadata"]["uid"] != uid:
            return
        holders = live["metadata"].get("finalizers") or live.get("spec", {}).get("finalizers") or []
        report(f"being deleted, finalizers: {', '.join(holders) or 'none'}")
        if time.monotonic() > deadline:
            raise UserError(
                f"{identity} still exists {DEFAULT_SECONDS} s after its deletion; finalizers: {', '.join(holders)}"
            )
        time.sleep(_POLL_SECONDS)


def what_is_missing(cluster: ClusterApi, live: Properties) -> str:
    """Return what an object lacks to be ready; empty if it is ready."""
    annotations = live["metadata"].get("annotations") or {}
    if annotations.get(_SKIP) == "true":
        return ""
    if _WAIT_FOR in annotations:
        return _missing_conditions(live, annotations[_WAIT_FOR])
    return _missing_by_kind(cluster, live)


def _missing_by_kind(cluster: ClusterApi, live: Properties) -> str:
    missing = ""
    match f"{live['apiVersion'].rpartition('/')[0]}/{live['kind']}".lstrip("/"):
        case "apps/Deployment":
            missing = _missing_of_deployment(cluster, live)
        case "Service":
            missing = _missing_of_service(cluster, live)
        case "apiextensions.k8s.io/CustomResourceDefinition":
            missing = _missing_condition(live, "Established", "True")
        case "ResourceQuota":
            is_counted = live.get("status", {}).get("hard") == live["spec"].get("hard")
            missing = "" if is_counted else "the quota controller has not processed its limits"
        case "Secret" if live.get("type") == "kubernetes.io/service-account-token":
            missing = "" if live.get("data", {}).get("token") else "the token controller has not added a token"
        case kind if kind in _NOT_KNOWN:
            raise UserError(f"waiting for a {kind} is not supported", f"Set the annotation {_SKIP}")
    return missing


def timeout_seconds(live: Properties, own: str | None) -> float:
    """
    Return the timeout in seconds: the resource's own, else the annotation's, else Pulumi's default.

    Raises:
        UserError: The resource's own timeout is not a duration.
    """
    if own:
        found = re.findall(r"([\d.]+)(h|ms|m|s)", own)
        if "".join(number + unit for number, unit in found) != own:
            raise UserError(f"the timeout {own} is not a duration", "Use one such as 5m, 90s or 1h30m")
        return sum(float(number) * _UNITS[unit] for number, unit in found)
    annotated = (live["metadata"].get("annotations") or {}).get(_TIMEOUT, "")
    return float(annotated) if annotated.isdigit() else DEFAULT_SECONDS


def _missing_conditions(live: Properties, annotation: str) -> str:
    try:
        expressions = json.loads(annotation)
    except ValueError:
        expressions = [annotation]
    return "; ".join(filter(None, (_missing_expression(live, each) for each in expressions)))


def _missing_expression(live: Properties, expression: str) -> str:
    form, _, rest = expression.partition("=")
    if form == "condition":
        name, _, status = rest.partition("=")
        return _missing_condition(live, name, status or "True")
    if form != "jsonpath":
        raise UserError(f"{_WAIT_FOR} {expression} is not supported", "Use jsonpath= or condition=")
    path, _, wanted = rest.partition("=")
    found = paths.find(live, paths.parse(path.strip("{}").removeprefix(".")))
    shown = str(found).lower() if isinstance(found, bool) else str(found)
    if found in (None, "") or (wanted and shown != wanted):
        return f"{path} is not {wanted or 'set'} yet"
    return ""


def _missing_condition(live: Properties, name: str, status: str) -> str:
    for condition in live.get("status", {}).get("conditions") or []:
        if condition["type"] == name:
            if condition["status"] == status:
                return ""
            return f"condition {name} is {condition['status']}: {condition.get('message', '')}".rstrip(": ")
    return f"condition {name} is not set yet"


def _missing_of_deployment(cluster: ClusterApi, live: Properties) -> str:
    spec, status = live["spec"], live.get("status", {})
    wanted = spec.get("replicas", 1)
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    ready = min(status.get("availableReplicas", 0), updated)
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return "the deployment controller has not processed it"
    if ready >= wanted and total <= updated:
        return ""
    pods = cluster.select("v1", "Pod", live["metadata"]["namespace"], _selector(spec["selector"]["matchLabels"]))
    reasons = sorted(filter(None, map(_pod_problem, pods)))
    refused = [
        condition["message"]
        for condition in status.get("conditions") or []
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True"
    ]
    return "; ".join([f"{ready}/{wanted} ready", *reasons, *refused])


def _pod_problem(pod: Properties) -> str:
    name, status = pod["metadata"]["name"], pod.get("status", {})
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        state = container.get("state", {})
        problem = state.get("waiting") or state.get("terminated")
        if problem and problem.get("reason") != "Completed":
            message = f": {problem['message']}" if problem.get("message") else ""
            return f"pod {name}, container {container['name']}: {problem.get('reason', 'waiting')}{message}"
        if not container.get("ready") and "running" in state:
            return f"pod {name}, container {container['name']}: runs, not ready"
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            return f"pod {name}: {condition.get('message', 'not scheduled')}"
    return ""


def _missing_of_service(cluster: ClusterApi, live: Properties) -> str:
    spec, missing = live["spec"], []
    if spec.get("type") == "LoadBalancer" and not live.get("status", {}).get("loadBalancer", {}).get("ingress"):
        missing.append("no load balancer has assigned an address")
    if spec.get("selector") and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        metadata = live["metadata"]
        slices = cluster.select(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            metadata["namespace"],
            _selector({"kubernetes.io/service-name": metadata["name"]}),
        )
        states = [
            endpoint.get("conditions", {}).get("ready") is not False
            for each in slices
            for endpoint in each.get("endpoints") or []
            if not endpoint.get("conditions", {}).get("terminating")
        ]
        if not all(states):
            missing.append(f"{states.count(False)} of {len(states)} endpoints are not ready")
    return "; ".join(missing)


def _selector(labels: Properties) -> str:
    return ",".join(f"{name}={value}" for name, value in labels.items())
