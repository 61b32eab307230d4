"""Charts and images come from places that last, and if wanted from the mirror alone."""

from collections.abc import Iterator, Sequence

from . import _charts, _images
from ._policy import Parameters, Rule, resource_policy
from ._resources import Resource
from ._values import show, show_place, texts

ALLOWED = "allowedSources"
RETIRED = ("gcr.io/istio-release", "istio-release.storage.googleapis.com", "registry.istio.io")
"""Istio switches these off in December 2026."""
RULE = Rule(
    name="mcsps-sources-allowed",
    description="Charts and images come from no place that is retired, and from an allowed one.",
    remedy=(
        "take them from https://blob.istio.io/istio-release/charts, oci://ghcr.io/istio/release/charts and "
        "docker.io/istio, or from a mirror, by mcsps:istio.charts, mcsps:istio.hub and mcsps:helloworld.images; "
        "allowedSources in the policy config says which places are allowed"
    ),
    schema={
        ALLOWED: {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Registries and repositories, with a path or without; empty for any that is not retired.",
        }
    },
)


def check(resource: Resource, parameters: Parameters) -> Iterator[str]:
    """Judge where a chart comes from, the hubs and images in its values, and the images of pods."""
    allowed: Sequence[str] = parameters[ALLOWED]
    for what, source in _sources(resource):
        if any(_is_within(source, retired) for retired in RETIRED):
            yield f"{resource} has {what} {show(source)}, a place that is retired"
        elif allowed and not any(_is_within(source, place) for place in allowed):
            yield f"{resource} has {what} {show(source)}; allowed is {', '.join(allowed)}"


def _sources(resource: Resource) -> Iterator[tuple[str, str]]:
    if resource.is_chart and (source := _charts.source(resource)):
        yield "the source", source
    for place, text in texts(_charts.settings(resource)):
        # A mirror is asked for by the hub; of other values only a retired place is certain to be one.
        is_retired = place[-1] != _charts.IMAGE and any(_is_within(text, retired) for retired in RETIRED)
        if place[-1] == "hub" or is_retired:
            yield show_place(place), text
    for what, image in _charts.images(resource):
        yield what, image.repository
    for name in resource.images():
        yield "the image", _images.parse(name).repository


def _is_within(source: str, place: str) -> bool:
    source, place = (text.rpartition("://")[2].rstrip("/") for text in (source, place))
    return source == place or source.startswith((f"{place}/", f"{place}:", f"{place}@"))


POLICY = resource_policy(RULE, check)
