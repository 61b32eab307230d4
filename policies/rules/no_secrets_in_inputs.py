"""Keys and tokens are in Secrets only, since more people can read ConfigMaps and Helm values."""

from collections.abc import Iterator, Mapping

from policies.lib import charts, secret_material
from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import look

RULE = Rule(
    name="mcsps-secrets-not-in-inputs",
    description="No ConfigMap and no Helm value holds a key, a token or a kubeconfig.",
    remedy="put it into a Secret and refer to that Secret; treat the exposed value as leaked and rotate it",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Search ConfigMaps and Helm values."""
    if resource.is_object("core/ConfigMap"):
        public: Mapping[str, object] = {key: look(resource.properties, key) for key in ("data", "binaryData")}
    else:
        public = charts.values(resource)
    yield from (f"{resource} has {found}" for found in secret_material.find(public))


POLICY = resource_policy(RULE, check)
