"""Keys and tokens are in Secrets only, since more people can read other objects and Helm values."""

from collections.abc import Iterator, Mapping

from policies.lib import charts, secret_material
from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import look, show_place

ANNOTATIONS = "annotations"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
RULE = Rule(
    name="mcsps-secrets-not-in-inputs",
    description="No ConfigMap, Helm value, annotation or container's command holds a key, a token or a kubeconfig.",
    why="More people, programs and backups can read ConfigMaps, annotations and Helm values than Secrets.",
    limits=(
        "It knows keys (PEM, DER, JWK), Rancher's tokens, web tokens, credentials in kubeconfigs and in URLs, "
        "as text or in base64, encoded up to twice; and environment variables whose name says password, "
        "secret, token or key. It does not see a password under any other name, a value in another encoding "
        "or encryption, or the fields of custom resources."
    ),
    remedy="put it into a Secret and refer to that Secret; treat the exposed value as leaked and rotate it",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Search ConfigMaps, Helm values, annotations, and what containers are started with."""
    found = (*secret_material.find(_public(resource)), *_of_last_applied(resource), *_of_variables(resource))
    yield from (f"{resource} has {what}" for what in found)


def _public(resource: Resource) -> Mapping[str, object]:
    if not resource.type.startswith("kubernetes:"):
        return {}
    parts: dict[str, object] = dict(charts.values(resource))
    if resource.is_object("core/ConfigMap"):
        parts |= {key: look(resource.properties, key) for key in ("data", "binaryData")}
    parts["metadata"] = {ANNOTATIONS: look(resource.properties, "metadata", ANNOTATIONS)}
    for place, containers in resource.pod_lists():
        for index, container in enumerate(containers):
            started_with = {key: look(container, key) for key in ("args", "command", "env")}
            parts[f"{show_place(place)}[{index}]"] = started_with
    return parts


def _of_last_applied(resource: Resource) -> Iterator[str]:
    place = ("metadata", ANNOTATIONS, LAST_APPLIED)
    for what in secret_material.of_last_applied(look(resource.properties, *place)):
        yield f"{what} at {show_place(place)}"


def _of_variables(resource: Resource) -> Iterator[str]:
    for place, containers in resource.pod_lists():
        for index, container in enumerate(containers):
            for what in secret_material.of_variables(look(container, "env")):
                yield f"{what} at {show_place((*place, index, 'env'))}"


POLICY = resource_policy(RULE, check)
