"""Every Kubernetes provider names its cluster."""

from collections.abc import Iterator, Mapping, Sequence

from policies.lib.policy import Parameters, Rule, stack_policy
from policies.lib.resources import KUBERNETES_PROVIDER, Provider, Resource
from policies.lib.values import UNKNOWN, items, look, read_yaml, show

WITHOUT_A_NAME = "without the cluster's name, a new token in its kubeconfig replaces every resource of the cluster"
RULE = Rule(
    name="mcsps-kubernetes-cluster-identifier",
    description="Every Kubernetes provider has a clusterIdentifier, which no provider of another cluster has.",
    why=(
        "Without an identifier the provider identifies the cluster by its kubeconfig, so a new token in it "
        "replaces every resource. The other rules take two clusters with the same identifier for one."
    ),
    limits=(
        "It compares the servers of kubeconfigs that are text. It does not see a kubeconfig that is unknown at "
        "preview or the path of a file, and it does not recognize two servers of the same cluster."
    ),
    remedy="set cluster_identifier to the cluster's name, as a plain string and not as an Output",
)


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[tuple[Resource, str]]:
    """Refuse a missing or a shared identifier; default providers are the explicit-provider rule's matter."""
    first: dict[str, tuple[Resource, str]] = {}
    for resource in resources:
        if resource.type != KUBERNETES_PROVIDER or Provider(name=resource.name, inputs={}).is_default:
            continue
        identifier = look(resource.properties, "clusterIdentifier")
        if identifier is UNKNOWN:
            continue
        if not isinstance(identifier, str) or not identifier.strip():
            finding = f"provider {resource.name} has {show(identifier)} for clusterIdentifier; {WITHOUT_A_NAME}"
            yield resource, finding
        elif server := _server(resource):
            other, known = first.setdefault(identifier, (resource, server))
            if known != server:
                shared = (
                    f"provider {resource.name} has the clusterIdentifier {show(identifier)} of provider {other.name}"
                )
                yield resource, f"{shared}, whose kubeconfig has another server"


def _server(provider: Resource) -> str | None:
    """The API server of the context in use; None if the kubeconfig is unknown, or the path of a file."""
    document = read_yaml(look(provider.properties, "kubeconfig"))
    if not isinstance(document, Mapping):
        return None
    contexts = {
        str(look(found, "name")): look(found, "context", "cluster") for found in items(document.get("contexts"))
    }
    clusters = {str(look(found, "name")): look(found, "cluster", "server") for found in items(document.get("clusters"))}
    chosen = look(provider.properties, "context") or document.get("current-context")
    server = clusters.get(str(contexts.get(str(chosen))))
    return server.rstrip("/").lower() if isinstance(server, str) else None


POLICY = stack_policy(RULE, check)
