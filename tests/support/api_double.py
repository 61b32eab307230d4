"""A double of one cluster's API, which is healthy until a test changes it."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ops.cluster.calls import ApiError
from ops.cluster.envoy import Certificates
from ops.cluster.execution import ExecResult
from ops.cluster.views import PodView, SecretView, ServiceView, Workload
from tests.support.authority import Authority

POD_IP = "10.42.0.9"
ANSWER = "Hello version: v1, instance: helloworld-v1-5f\n#200\n"


def printed(stdout: str, code: int = 0) -> ExecResult:
    """Return the result of a command."""
    return ExecResult(stdout=stdout, stderr="", finished=True, code=code)


def pod(name: str, labels: Mapping[str, str], age: timedelta = timedelta(), not_ready_reason: str = "") -> PodView:
    """Return a pod that is ready unless there is a reason why not."""
    created = datetime.now(UTC) - age
    return PodView(
        name=name,
        labels=labels,
        ip=POD_IP,
        ready=not not_ready_reason,
        created=created,
        not_ready_reason=not_ready_reason,
    )


class ApiDouble:
    """
    A mesh of one cluster, with helloworld v1.

    Attributes:
        refuses: The reason for which a method is refused, by its name.
        replicas: The replicas of a Deployment, by its name; 1 by default.
        autoscaled_there: The Deployments that a HorizontalPodAutoscaler targets.
        says: The output of a command in a container, by a word of its command line.
    """

    def __init__(self, name: str = "east") -> None:
        authority = Authority("mesh")
        self.name = name
        self.root_pem = authority.root
        self.refuses: dict[str, str] = {}
        self.secrets_there: tuple[SecretView, ...] = ()
        self.istiods: tuple[PodView, ...] = (pod("istiod-1", {}),)
        self.pods_there: dict[str, PodView] = {}
        self.ever_created: list[str] = []
        self.scaled: list[tuple[str, int]] = []
        self.replicas: dict[str, int] = {}
        self.autoscaled_there: frozenset[str] = frozenset()
        self.istio_specs: dict[str, Mapping[str, Any]] = {}
        self.printed_log = ""
        self.says: dict[str, Callable[[], ExecResult]] = {
            "--fail": lambda: printed(ANSWER * 100),
            "--connect-timeout": lambda: printed(""),
            "clusters?format=json": lambda: printed(endpoints_json()),
            "config_dump?resource=dynamic_active_secrets": lambda: printed(secrets_json(authority.certificates())),
            "/debug/clusterz": lambda: printed("[]"),
        }

    def version(self) -> str:
        """Return a Kubernetes version."""
        self._refuse("version")
        return "v1.35.4"

    def namespace_labels(self, _name: str) -> Mapping[str, str]:
        """Return the labels of a namespace, all correct."""
        self._refuse("namespace_labels")
        return {"topology.istio.io/network": f"network-{self.name}"}

    def shared(self, namespace: str) -> tuple[Mapping[str, Any], ...]:
        """Return a namespace with helloworld's Service."""
        self._refuse("shared")
        return (
            {"kind": "Namespace", "metadata": {"name": namespace, "labels": {"istio-injection": "enabled"}}},
            {
                "kind": "Service",
                "metadata": {"name": "helloworld", "namespace": namespace},
                "spec": {"ports": [{"name": "http", "port": 5000}]},
            },
        )

    def config_map(self, _namespace: str, _name: str) -> Mapping[str, str]:
        """Return a ConfigMap with the mesh root."""
        self._refuse("config_map")
        return {"root-cert.pem": self.root_pem}

    def deployment(self, _namespace: str, name: str) -> Workload:
        """Return a Deployment with all replicas ready: one, or as many as a test has set."""
        self._refuse("deployment")
        replicas = self.replicas.get(name, 1)
        return Workload(wanted=replicas, ready=replicas)

    def autoscaled(self, _namespace: str) -> frozenset[str]:
        """Return the Deployments that a test has set."""
        self._refuse("autoscaled")
        return self.autoscaled_there

    def scale(self, namespace: str, name: str, replicas: int) -> None:
        """Record the requested replicas."""
        self._refuse("scale")
        self.scaled.append((f"{namespace}/{name}", replicas))

    def istio_spec(self, _namespace: str, plural: str, _name: str) -> Mapping[str, Any] | None:
        """Return the spec that a test has set, by kind."""
        self._refuse("istio_spec")
        return self.istio_specs.get(plural)

    def log(self, _namespace: str, _pod: str, _container: str, _seconds: int) -> str:
        """Return the log that a test has set."""
        self._refuse("log")
        return self.printed_log

    def service(self, _namespace: str, _name: str) -> ServiceView:
        """Return a Service of any name."""
        self._refuse("service")
        labels = {"topology.istio.io/network": f"network-{self.name}"}
        return ServiceView(labels=labels, ports=(5000,), addresses=("127.0.0.1",))

    def secrets(self, _namespace: str, _selector: str) -> tuple[SecretView, ...]:
        """Return the remote secrets."""
        self._refuse("secrets")
        return self.secrets_there

    def secret(self, _namespace: str, _name: str) -> SecretView | None:
        """Return None, because there are no other Secrets."""
        return None

    def pods(self, _namespace: str, selector: str) -> tuple[PodView, ...]:
        """Return the pods of istiod, helloworld, the ingress gateway and the client that match."""
        self._refuse("pods")
        known = {
            "app=istiod": self.istiods,
            "app=helloworld": (pod("helloworld-v1-5f", {"version": "v1"}),),
            "app=istio-ingressgateway": (pod("istio-ingressgateway-5f", {}),),
        }
        return known.get(selector, tuple(self.pods_there.values()))

    def pod(self, _namespace: str, name: str) -> PodView | None:
        """Return a client pod; None if it does not exist."""
        return self.pods_there.get(name)

    def create_pod(self, _namespace: str, description: Mapping[str, Any]) -> None:
        """Create a pod, which is ready at once."""
        self._refuse("create_pod")
        name = description["metadata"]["name"]
        self.ever_created.append(name)
        self.pods_there[name] = pod(name, description["metadata"]["labels"])

    def delete_pod(self, _namespace: str, name: str) -> None:
        """Delete a pod."""
        self._refuse("delete_pod")
        self.pods_there.pop(name, None)

    def execute(self, _namespace: str, _pod: str, _container: str, command: list[str], _timeout: float) -> ExecResult:
        """Return the output for the command."""
        self._refuse("execute")
        return next(say for word, say in self.says.items() if word in command)()

    def _refuse(self, method: str) -> None:
        if method in self.refuses:
            raise ApiError(self.refuses[method])


def endpoints_json() -> str:
    """Return a sidecar's endpoints of helloworld."""
    address = {"socket_address": {"address": POD_IP, "port_value": 5000}}
    name = "outbound|5000|v1|helloworld.sample.svc.cluster.local"
    return json.dumps({"cluster_statuses": [{"name": name, "host_statuses": [{"address": address}]}]})


def secrets_json(certificates: Certificates) -> str:
    """Return the certificates of a proxy in the form of Envoy's `config_dump`."""
    chain, roots = (
        {"inline_bytes": base64.b64encode("".join(pems).encode()).decode()}
        for pems in (certificates.chain, certificates.roots)
    )
    blotted = {"inline_bytes": base64.b64encode(b"[redacted]").decode()}
    tls = {"certificate_chain": chain, "private_key": blotted}
    return json.dumps(
        {
            "configs": [
                {"name": "default", "secret": {"name": "default", "tls_certificate": tls}},
                {"name": "ROOTCA", "secret": {"name": "ROOTCA", "validation_context": {"trusted_ca": roots}}},
            ]
        }
    )
