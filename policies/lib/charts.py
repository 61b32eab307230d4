"""The charts that a resource installs, by Pulumi's Helm resources or by Istio's operator, and their values."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pulumi

from policies.lib import image_names
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, items, look, read_yaml, show_place, walk

PROJECT = Path(__file__).parents[2]
"""The program's working directory: relative paths of value files start here."""
ISTIO_CHARTS = {"ambient", "base", "cni", "gateway", "istiod", "ztunnel"}
ISTIO_NAMESPACE = "istio-system"
INJECTOR = "istio-sidecar-injector"
"""The ConfigMap in which the chart istiod stores its proxy values; of the chart's values an engine shows only these."""
SAIL = tuple(f"sailoperator.io/{kind}" for kind in ("Istio", "IstioCNI", "IstioRevision", "ZTunnel"))
"""The kinds from which the Sail operator installs Istio's charts."""
IMAGE = "image"
GLOBAL_REGISTRY = "imageRegistry"
"""A value by which many charts replace the registry of all their images."""
ISTIO_IMAGES = {"install-cni", "pilot", "proxyv2", "ztunnel"}


def is_istio_operator(resource: Resource) -> bool:
    """Whether the resource is an IstioOperator."""
    return resource.is_object("install.istio.io/IstioOperator")


def is_sail(resource: Resource) -> bool:
    """Whether the Sail operator installs Istio from this resource."""
    return resource.is_object(*SAIL)


def is_istio_image(image: image_names.Image, of: Resource) -> bool:
    """Whether an image is Istio's: by its name, and by its repository or what runs it, since the names are generic."""
    is_at_home = of.namespace == ISTIO_NAMESPACE or of.is_of_mesh or of.is_istio_object or is_istio(of)
    return image.last in ISTIO_IMAGES and (is_at_home or "istio" in image.repository or is_sail(of))


def source(chart: Resource) -> str | None:
    """The repository or registry of a chart; None for a folder, and where neither is set."""
    repository = look(chart.properties, "repositoryOpts", "repo")
    if isinstance(repository, str):
        return repository
    name = look(chart.properties, "chart")
    return name if isinstance(name, str) and "://" in name else None


def values(resource: Resource) -> Mapping[str, object]:
    """The chart values in a resource, by the property that holds them; empty if the resource holds none."""
    if is_istio_operator(resource) or is_sail(resource):
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
    for place, found in walk(values(resource)):
        if not place or not str(place[-1]).lower().endswith(IMAGE):
            continue
        registry, repository, tag = (look(found, key) for key in ("registry", "repository", "tag"))
        if isinstance(found, str) and place[-1] == IMAGE and "/" in found:
            yield show_place(place), image_names.parse(found)
        elif isinstance(repository, str):
            name = f"{registry}/{repository}" if isinstance(registry, str) and registry else repository
            # Without a tag it is the chart's own.
            shown = None if tag in (None, "", UNKNOWN) else str(tag)
            yield show_place(place), replace(image_names.parse(name), tag=shown, is_latest=False)


def registries(resource: Resource) -> Iterator[tuple[str, str]]:
    """The registries in chart values that replace those of the chart's own images, by place."""
    for place, found in walk(values(resource)):
        of_an_image = "registry" if place and place[-1] == IMAGE and look(found, "repository") is None else None
        for key in (GLOBAL_REGISTRY, of_an_image):
            registry = look(found, key) if key else None
            if isinstance(registry, str) and registry:
                yield show_place((*place, str(key))), registry


def is_istio(chart: Resource) -> bool:
    """Whether it is one of Istio's charts. Their names are generic, so the source and the namespace count too."""
    name = look(chart.properties, "chart")
    if not chart.is_chart or not isinstance(name, str):
        return False
    last = name.rstrip("/").rpartition("/")[2]
    is_at_home = look(chart.properties, "namespace") == ISTIO_NAMESPACE or "istio" in f"{name} {source(chart)}"
    return last == "istiod" or (last in ISTIO_CHARTS and is_at_home)
