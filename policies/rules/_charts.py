"""What a Helm chart resource says of where it comes from and what it sets."""

from ._resources import Resource
from ._values import look

ISTIO_CHARTS = {"ambient", "base", "cni", "gateway", "istiod", "ztunnel"}
ISTIO_NAMESPACE = "istio-system"


def source(chart: Resource) -> str | None:
    """The repository or registry of a chart; None for a folder, and where it is not told."""
    repository = look(chart.properties, "repositoryOpts", "repo")
    if isinstance(repository, str):
        return repository
    name = look(chart.properties, "chart")
    return name if isinstance(name, str) and "://" in name else None


def values(chart: Resource) -> object:
    """The Helm values that the program gives."""
    return look(chart.properties, "values")


def is_istio(chart: Resource) -> bool:
    """Whether it is one of Istio's charts: their names are common ones, so where it comes from or goes counts too."""
    name = look(chart.properties, "chart")
    if not chart.is_chart or not isinstance(name, str):
        return False
    last = name.rstrip("/").rpartition("/")[2]
    is_at_home = look(chart.properties, "namespace") == ISTIO_NAMESPACE or "istio" in f"{name} {source(chart)}"
    return last == "istiod" or (last in ISTIO_CHARTS and is_at_home)
