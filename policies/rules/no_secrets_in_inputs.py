"""Keys and tokens go into Secrets, and nowhere that more people read."""

from collections.abc import Iterator, Mapping

from . import _charts, _secret_material
from ._policy import Parameters, Rule, resource_policy
from ._resources import Resource
from ._values import look

RULE = Rule(
    name="mcsps-secrets-not-in-inputs",
    description="No ConfigMap and no Helm value holds a key, a token or a kubeconfig.",
    remedy="put it into a Secret, and name that Secret in its place; what stood there is known to others: make it anew",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Search what is read by many."""
    if resource.is_object("core/ConfigMap"):
        told: Mapping[str, object] = {key: look(resource.properties, key) for key in ("data", "binaryData")}
    else:
        told = _charts.settings(resource)
    yield from (f"{resource} has {found}" for found in _secret_material.find(told))


POLICY = resource_policy(RULE, check)
