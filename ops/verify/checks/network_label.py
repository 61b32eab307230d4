"""Whether a cluster carries its network's label where Istio reads it."""

from collections.abc import Iterator

from mesh import names
from ops.verify.check import REFRESH, Cause, Check, CheckState, Result, Subject, unless_unread
from ops.verify.facts import ClusterFacts, Fact, Inspection
from ops.verify.gateways import GATEWAY

NETWORK_LABEL_MISSING = Cause(
    name="network label missing",
    meaning=(
        f"`{names.NETWORK_LABEL}` is missing or wrong, so peers' endpoints seem local, or their gateway is not found."
    ),
    remedy=(
        f"{REFRESH} labels namespace {names.ISTIO_NAMESPACE} and Service {names.EASTWEST_GATEWAY} with their cluster's "
        f"{names.NETWORK_LABEL}"
    ),
    rank=20,
)


def _read(inspection: Inspection) -> str | None:
    return (inspection.api.namespace_labels(names.ISTIO_NAMESPACE) or {}).get(names.NETWORK_LABEL)


NETWORK_LABEL: Fact[str | None] = Fact(name="network_label", read=_read, unknown=None)


def _evaluate(subject: Subject) -> Iterator[Result]:
    cluster = subject.cluster
    if wrong := "; ".join(_wrong(cluster)):
        yield Result(state=CheckState.FAILED, seen=wrong, cause=NETWORK_LABEL_MISSING, evidence=wrong)
    else:
        yield unless_unread(Result(state=CheckState.PASSED, seen=cluster.network), cluster, NETWORK_LABEL)


def _wrong(cluster: ClusterFacts) -> Iterator[str]:
    """Name the objects without the label: the namespace, and the Service at which peers find the gateway."""
    labels: dict[str, str | None] = {}
    if cluster.knows(NETWORK_LABEL):
        labels[f"namespace {names.ISTIO_NAMESPACE}"] = cluster.get(NETWORK_LABEL)
    service = cluster.get(GATEWAY).service
    if service:
        labels[f"Service {names.EASTWEST_GATEWAY}"] = service.labels.get(names.NETWORK_LABEL)
    for labelled, label in labels.items():
        if label != cluster.network:
            yield f"{labelled} has {label or 'none'}, wanted is {cluster.network}"


CHECK = Check(
    id="network-label",
    meaning="Namespace istio-system and the east-west gateway's Service carry the label of the cluster's network.",
    order=30,
    column="network",
    uses=(NETWORK_LABEL, GATEWAY),
    evaluate=_evaluate,
    causes=(NETWORK_LABEL_MISSING,),
)
