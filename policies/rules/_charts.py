"""What a resource says of the charts that it installs: Pulumi's for Helm, and Istio's for its operator."""

from collections.abc import Mapping

from ._resources import Resource
from ._values import look

ISTIO_CHARTS = {"ambient", "base", "cni", "gateway", "istiod", "ztunnel"}
ISTIO_NAMESPACE = "istio-system"


def is_istio_operator(resource: Resource) -> bool:
    """Whether it asks Istio's operator for an installation."""
    return resource.is_object("install.istio.io/IstioOperator")


def source(chart: Resource) -> str | None:
    """The repository or registry of a chart; None for a folder, and where it is not told."""
    repository = look(chart.properties, "repositoryOpts", "repo")
    if isinstance(repository, str):
        return repository
    name = look(chart.properties, "chart")
    return name if isinstance(name, str) and "://" in name else None


def settings(resource: Resource) -> Mapping[str, object]:
    """What the charts are told, by the property in which it stands; empty for what installs none."""
    key = "values" if resource.is_chart else "spec" if is_istio_operator(resource) else None
    return {key: look(resource.properties, key)} if key else {}


def is_istio(chart: Resource) -> bool:
    """Whether it is one of Istio's charts: their names are common ones, so where it comes from or goes counts too."""
    name = look(chart.properties, "chart")
    if not chart.is_chart or not isinstance(name, str):
        return False
    last = name.rstrip("/").rpartition("/")[2]
    is_at_home = look(chart.properties, "namespace") == ISTIO_NAMESPACE or "istio" in f"{name} {source(chart)}"
    return last == "istiod" or (last in ISTIO_CHARTS and is_at_home)
