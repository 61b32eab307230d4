"""The time that the policy pack takes to judge a stack, started as Pulumi starts it."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from bench.timing import ROOT

PACK = ROOT / "policies"
RESOURCES = 2000
MAX_SECONDS = 10.0
MESSAGE_BYTES = 256 * 1024 * 1024
PEM_LINES = "\n".join(["MIIBnTCCAUOgAwIBAgIRAJb4zBGgk2mZ" * 2] * 20)
RULES = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "update"]}]


@dataclass(frozen=True)
class Judged:
    """The time for one stack."""

    resources: int
    each_seconds: float
    """All resources, one request each, as in a preview."""
    stack_seconds: float
    """The whole stack, in one request."""

    @property
    def seconds(self) -> float:
        """The time that a preview waits for the pack."""
        return self.each_seconds + self.stack_seconds


def measure(count: int, report: Callable[[str], None]) -> Judged:
    """Judge a stack of as many resources."""
    report(f"judging {count} resources")
    resources = list(islice(_resources(), count))
    with _analyzer() as analyzer:
        analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest())
        begin = time.monotonic()
        for found in resources:
            analyzer.Analyze(
                analyzer_pb2.AnalyzeRequest(
                    type=found.type,
                    urn=found.urn,
                    name=found.name,
                    properties=found.properties,
                    provider=found.provider,
                )
            )
        between = time.monotonic()
        analyzer.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources))
        return Judged(count, between - begin, time.monotonic() - between)


@contextmanager
def _analyzer() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."]
    with subprocess.Popen(command, cwd=PACK, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        port = next(iter(process.stdout or ())).strip()
        options = [("grpc.max_send_message_length", MESSAGE_BYTES)]
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            process.terminate()


def _resources() -> Iterator[analyzer_pb2.AnalyzerResource]:
    """Resources of many teams in two clusters, without end: in each round one of every kind."""
    for number, cluster in enumerate(cycle(("east", "west"))):
        team = f"team-{number}"
        for type_, inputs in _objects(team).items():
            yield _resource(type_, f"{team}-{type_.rpartition(':')[2]}", cluster, inputs)


def _objects(team: str) -> dict[str, dict[str, Any]]:
    metadata = {"name": team, "namespace": team, "labels": {"app": team}}
    subsets = [{"name": name, "labels": {"version": name}} for name in ("v1", "v2")]
    route = [{"destination": {"host": team, "subset": name}, "weight": 50} for name in ("v1", "v2")]
    container = {
        "name": "app",
        "image": f"registry.example/{team}/app:1.2.3",
        "env": [{"name": f"SETTING_{number}", "value": f"value {number}"} for number in range(10)],
    }
    pod = {"metadata": {"labels": {"app": team}}, "spec": {"containers": [container]}}
    role = {"kind": "ClusterRole", "name": team}
    return {
        "kubernetes:core/v1:Namespace": {"metadata": {"name": team, "labels": {"istio-injection": "enabled"}}},
        "kubernetes:networking.k8s.io/v1:NetworkPolicy": {"metadata": metadata, "spec": {"podSelector": {}}},
        "kubernetes:apps/v1:Deployment": {"metadata": metadata, "spec": {"template": pod}},
        "kubernetes:core/v1:Service": {
            "metadata": metadata,
            "spec": {"type": "LoadBalancer", "selector": {"app": team}},
        },
        "kubernetes:core/v1:ConfigMap": {"metadata": metadata, "data": {"ca.crt": PEM_LINES, "text": "a line\n" * 200}},
        "kubernetes:networking.istio.io/v1:VirtualService": {
            "metadata": metadata,
            "spec": {"hosts": [team], "http": [{"route": route}]},
        },
        "kubernetes:networking.istio.io/v1:DestinationRule": {
            "metadata": metadata,
            "spec": {"host": team, "subsets": subsets},
        },
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": {"metadata": {"name": team}, "rules": RULES},
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": {
            "metadata": {"name": team},
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", "name": team, "namespace": team}],
        },
        "kubernetes:helm.sh/v3:Release": {
            "chart": team,
            "namespace": team,
            "values": {"image": {"repository": f"registry.example/{team}/app", "tag": "1.2.3"}, "hosts": [team] * 20},
        },
    }


def _resource(type_: str, name: str, cluster: str, inputs: dict[str, Any]) -> analyzer_pb2.AnalyzerResource:
    properties, identifier = struct_pb2.Struct(), struct_pb2.Struct()
    properties.update(inputs)
    identifier.update({"clusterIdentifier": cluster})
    provider = "pulumi:providers:kubernetes"
    return analyzer_pb2.AnalyzerResource(
        type=type_,
        name=name,
        urn=f"urn:pulumi:bench::mcsps::{type_}::{name}",
        properties=properties,
        provider=analyzer_pb2.AnalyzerProviderResource(
            type=provider, name=cluster, urn=f"urn:pulumi:bench::mcsps::{provider}::{cluster}", properties=identifier
        ),
    )
