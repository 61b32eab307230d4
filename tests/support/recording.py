"""A monitor that records registrations and answers as the five providers do."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from recorder.monitor import Monitor
from recorder.program import run_function
from recorder.registrations import STACK_TYPE, Outcome, Registration
from recorder.values import Properties, Secret, reveal
from tests.support import charts
from tests.support.leaks import fake_secret

PROJECT = "mcsps"
STACK = "test"

PRIVATE_KEY = "tls:index/privateKey:PrivateKey"
CERT_REQUEST = "tls:index/certRequest:CertRequest"
SELF_SIGNED_CERT = "tls:index/selfSignedCert:SelfSignedCert"
LOCALLY_SIGNED_CERT = "tls:index/locallySignedCert:LocallySignedCert"
RANDOM_ID = "random:index/randomId:RandomId"
RANDOM_PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type
RANCHER_PROVIDER = "pulumi:providers:rancher2"
RANCHER_TOKEN = "rancher2:index/token:Token"  # noqa: S105 - a type
RANCHER_USER = "rancher2:index/user:User"
RANCHER_USER_TOKEN = "rancher2:index/customUserToken:CustomUserToken"  # noqa: S105 - a type
RANCHER_ROLE = "rancher2:index/roleTemplate:RoleTemplate"
RANCHER_PROJECT = "rancher2:index/project:Project"
KUBERNETES_PROVIDER = "pulumi:providers:kubernetes"
NAMESPACE = "kubernetes:core/v1:Namespace"
LIMIT_RANGE = "kubernetes:core/v1:LimitRange"
SECRET = "kubernetes:core/v1:Secret"  # noqa: S105 - a type
SERVICE = "kubernetes:core/v1:Service"
SERVICE_ACCOUNT = "kubernetes:core/v1:ServiceAccount"
CLUSTER_ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
CLUSTER_ROLE_BINDING = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CHART = "kubernetes:helm.sh/v4:Chart"
GATEWAY = "kubernetes:networking.istio.io/v1:Gateway"
DESTINATION_RULE = "kubernetes:networking.istio.io/v1:DestinationRule"
ISTIO_OPERATOR = "kubernetes:install.istio.io/v1alpha1:IstioOperator"
VIRTUAL_SERVICE = "kubernetes:networking.istio.io/v1:VirtualService"

ROOT_EXPIRY = "2036-11-23T00:00:00Z"
INTERMEDIATE_EXPIRY = "2027-11-23T00:00:00Z"
CLUSTER_CA = "the cluster's own CA"

Maker = Callable[[Registration], Outcome]
"""A function that returns a provider's id and outputs for a type, if they are not the usual ones."""


class RecordingMonitor(Monitor):
    """Records registrations, and returns the outputs that their provider would."""

    def __init__(self, *, preview: bool, stack: str = STACK, makers: Mapping[str, Maker] | None = None) -> None:
        super().__init__(project=PROJECT, stack=stack, preview=preview)
        self._makers = {**MAKERS, **(makers or {})}

    def apply(self, registration: Registration) -> Outcome:
        """Return the outputs; a preview returns only the inputs."""
        if self.preview:
            return Outcome(outputs=registration.inputs)
        maker = self._makers.get(registration.type)
        made = maker(registration) if maker else Outcome()
        outputs = {**registration.inputs, **made.outputs}
        for name in registration.additional_secret_outputs:
            if name in outputs:
                outputs[name] = Secret(reveal(outputs[name]))
        return Outcome(id=made.id or f"{registration.name}-id", outputs=outputs)

    def invoke(self, token: str, arguments: Properties, provider: str) -> Properties:
        """Render a chart; any other function is refused."""
        if token != charts.FUNCTION:
            return super().invoke(token, arguments, provider)
        return {"result": charts.render(arguments)}

    @property
    def recorded(self) -> list[Registration]:
        """Return all registrations except the stack's, by URN."""
        return [found for _, found in sorted(self.registrations.items()) if found.type != STACK_TYPE]

    def find(self, type_: str, name: str | None = None) -> Registration:
        """Return the only registration of this type (and logical name)."""
        matches = self.find_all(type_, name)
        assert len(matches) == 1, f"{type_} {name}: {[found.name for found in matches]}"
        return matches[0]

    def find_all(self, type_: str, name: str | None = None) -> list[Registration]:
        """Return all registrations of this type (and logical name), by URN."""
        return [found for found in self.recorded if found.type == type_ and name in (None, found.name)]

    def children(self, parent: Registration) -> list[Registration]:
        """Return the direct children of `parent`, by URN."""
        return [found for found in self.recorded if found.parent == parent.urn]

    def provider_name(self, registration: Registration) -> str | None:
        """Return the logical name of the explicit provider."""
        if registration.provider is None:
            return None
        urn, _, _ = registration.provider.rpartition("::")
        return self.registrations[urn].name

    def made(self, registration: Registration, name: str) -> Any:  # noqa: ANN401 - JSON data has no narrower type
        """Return an output of a resource, without its secret mark."""
        return reveal(self.outcomes[registration.urn].outputs[name])

    def depends_on(self, registration: Registration) -> set[str]:
        """Return the logical names of the dependencies."""
        return {self.registrations[urn].name for urn in registration.dependencies}


def record(
    body: Callable[[], None], *, preview: bool = False, makers: Mapping[str, Maker] | None = None
) -> RecordingMonitor:
    """Run a part of a program, and record its registrations."""
    monitor = RecordingMonitor(preview=preview, makers=makers)
    run_function(body, monitor, {})
    return monitor


def fingerprint(registration: Registration) -> str:
    """Return a text that differs for other inputs and for a recreated resource."""
    known = [reveal(registration.inputs), reveal(registration.replacement_trigger)]
    made_from = json.dumps(known, sort_keys=True)
    return hashlib.sha256(made_from.encode()).hexdigest()[:16]


def _private_key(registration: Registration) -> Outcome:
    key = fake_secret(f"key {registration.name} {fingerprint(registration)}")
    return Outcome(outputs={"privateKeyPem": Secret(key)})


def _cert_request(registration: Registration) -> Outcome:
    return Outcome(outputs={"certRequestPem": f"request {registration.name} {fingerprint(registration)}"})


def _certificate(expiry: str) -> Maker:
    def make(registration: Registration) -> Outcome:
        pem = f"certificate {registration.name} {fingerprint(registration)}\n"
        return Outcome(outputs={"certPem": pem, "validityEndTime": expiry})

    return make


def _random_id(registration: Registration) -> Outcome:
    seed = f"{registration.urn} {fingerprint(registration)}".encode()
    digest = hashlib.sha256(seed).hexdigest()
    return Outcome(outputs={"hex": digest[: 2 * int(registration.inputs["byteLength"])]})


def _service(registration: Registration) -> Outcome:
    if registration.inputs["spec"].get("type") != "LoadBalancer":
        return Outcome()
    last = hashlib.sha256(registration.urn.encode()).digest()
    address = f"10.{last[0]}.{last[1]}.{last[2]}"
    return Outcome(outputs={"status": {"loadBalancer": {"ingress": [{"ip": address}]}}})


def _secret(registration: Registration) -> Outcome:
    if registration.inputs.get("type") != "kubernetes.io/service-account-token":
        return Outcome()
    token = fake_secret(f"token {registration.name} {fingerprint(registration)}")
    data = {"token": token, "ca.crt": CLUSTER_CA}
    return Outcome(outputs={"data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}})


def _random_password(registration: Registration) -> Outcome:
    return Outcome(outputs={"result": Secret(fake_secret(f"password {registration.name} {fingerprint(registration)}"))})


def _rancher_token(registration: Registration) -> Outcome:
    token = fake_secret(f"token {registration.name} {fingerprint(registration)}")
    return Outcome(outputs={"token": token, "secretKey": fake_secret("half of a token")})


def _rancher_project(registration: Registration) -> Outcome:
    return Outcome(id=f"{registration.inputs['clusterId']}:p-12345")


MAKERS: Mapping[str, Maker] = {
    PRIVATE_KEY: _private_key,
    CERT_REQUEST: _cert_request,
    SELF_SIGNED_CERT: _certificate(ROOT_EXPIRY),
    LOCALLY_SIGNED_CERT: _certificate(INTERMEDIATE_EXPIRY),
    RANDOM_ID: _random_id,
    RANDOM_PASSWORD: _random_password,
    SERVICE: _service,
    SECRET: _secret,
    RANCHER_TOKEN: _rancher_token,
    RANCHER_USER_TOKEN: _rancher_token,
    RANCHER_PROJECT: _rancher_project,
}


def with_outputs(outputs: Properties) -> Maker:
    """Return a maker that always returns these outputs."""
    return lambda _: Outcome(outputs=outputs)
