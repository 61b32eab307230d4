"""What a resource says of the charts that it installs: Pulumi's for Helm, and Istio's for its operator."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pulumi

from . import _images
from ._resources import Resource
from ._values import items, look, read_yaml, show_place, texts

PROJECT = Path(__file__).parents[2]
"""Where the program runs, and the paths that it gives begin."""
ISTIO_CHARTS = {"ambient", "base", "cni", "gateway", "istiod", "ztunnel"}
ISTIO_NAMESPACE = "istio-system"
INJECTOR = "istio-sidecar-injector"
"""The ConfigMap into which the chart istiod writes what it was told of the proxies: a real engine shows that alone."""
IMAGE = "image"


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
    """What the charts are told, by the place in which it stands; empty where nothing is told of one."""
    if is_istio_operator(resource):
        return {"spec": look(resource.properties, "spec")}
    if resource.is_chart:
        files = enumerate(items(look(resource.properties, "valueYamlFiles")))
        told = {f"valueYamlFiles[{index}]": read_yaml(_text(file)) for index, file in files}
        return {"values": look(resource.properties, "values"), **told}
    if resource.is_object("core/ConfigMap") and str(resource.object_name).startswith(INJECTOR):
        return {"data": {"values": read_yaml(look(resource.properties, "data", "values"))}}
    return {}


def _text(file: object) -> str | None:
    match file:
        case pulumi.StringAsset():
            return str(file.text)
        case pulumi.FileAsset():
            try:
                return (PROJECT / file.path).read_text()
            except (OSError, ValueError):
                # Whoever installs the chart says so.
                return None
        case _:
            return None


def images(resource: Resource) -> Iterator[tuple[str, _images.Image]]:
    """The images that the charts are told, by place; one with a slash is whole, and no hub nor tag goes before it."""
    for place, text in texts(settings(resource)):
        if place[-1] == IMAGE and "/" in text:
            yield show_place(place), _images.parse(text)


def is_istio(chart: Resource) -> bool:
    """Whether it is one of Istio's charts: their names are common ones, so where it comes from or goes counts too."""
    name = look(chart.properties, "chart")
    if not chart.is_chart or not isinstance(name, str):
        return False
    last = name.rstrip("/").rpartition("/")[2]
    is_at_home = look(chart.properties, "namespace") == ISTIO_NAMESPACE or "istio" in f"{name} {source(chart)}"
    return last == "istiod" or (last in ISTIO_CHARTS and is_at_home)
