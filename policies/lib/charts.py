"""The charts that a resource installs, by Pulumi's Helm resources or by Istio's operator, and their values."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pulumi

from policies.lib import image_names
from policies.lib.resources import Resource
from policies.lib.values import items, look, read_yaml, show_place, texts

PROJECT = Path(__file__).parents[2]
"""The program's working directory: relative paths of value files start here."""
ISTIO_CHARTS = {"ambient", "base", "cni", "gateway", "istiod", "ztunnel"}
ISTIO_NAMESPACE = "istio-system"
INJECTOR = "istio-sidecar-injector"
"""The ConfigMap in which the chart istiod stores its proxy values; of the chart's values an engine shows only these."""
IMAGE = "image"


def is_istio_operator(resource: Resource) -> bool:
    """Whether the resource is an IstioOperator."""
    return resource.is_object("install.istio.io/IstioOperator")


def source(chart: Resource) -> str | None:
    """The repository or registry of a chart; None for a folder, and where neither is set."""
    repository = look(chart.properties, "repositoryOpts", "repo")
    if isinstance(repository, str):
        return repository
    name = look(chart.properties, "chart")
    return name if isinstance(name, str) and "://" in name else None


def values(resource: Resource) -> Mapping[str, object]:
    """The chart values in a resource, by the property that holds them; empty if the resource holds none."""
    if is_istio_operator(resource):
        return {"spec": look(resource.properties, "spec")}
    if resource.is_chart:
        files = enumerate(items(look(resource.properties, "valueYamlFiles")))
        from_files = {f"valueYamlFiles[{index}]": read_yaml(_text(file)) for index, file in files}
        return {"values": look(resource.properties, "values"), **from_files}
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
                # The installation reports the missing file.
                return None
        case _:
            return None


def images(resource: Resource) -> Iterator[tuple[str, image_names.Image]]:
    """The complete image names in chart values, by place; the charts complete a name without a slash."""
    for place, text in texts(values(resource)):
        if place[-1] == IMAGE and "/" in text:
            yield show_place(place), image_names.parse(text)


def is_istio(chart: Resource) -> bool:
    """Whether it is one of Istio's charts. Their names are generic, so the source and the namespace count too."""
    name = look(chart.properties, "chart")
    if not chart.is_chart or not isinstance(name, str):
        return False
    last = name.rstrip("/").rpartition("/")[2]
    is_at_home = look(chart.properties, "namespace") == ISTIO_NAMESPACE or "istio" in f"{name} {source(chart)}"
    return last == "istiod" or (last in ISTIO_CHARTS and is_at_home)
