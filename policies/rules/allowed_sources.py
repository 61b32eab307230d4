"""Charts and images come from sources that are not retired, and optionally from allowed sources only."""

from collections.abc import Iterator, Sequence

from policies.lib import charts, image_names
from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import show, show_place, texts

ALLOWED = "allowedSources"
RETIRED = ("gcr.io/istio-release", "istio-release.storage.googleapis.com", "registry.istio.io")
"""Istio shuts these down in December 2026."""
RULE = Rule(
    name="mcsps-sources-allowed",
    description="Charts and images come from allowed sources, and from none that Istio has retired.",
    why=(
        "The owner of a registry or of a chart repository can run code in the cluster. A retired source answers "
        "no pull, so a new node cannot start its pods."
    ),
    limits=(
        "It does not see the images that a chart's templates, an operator or a webhook add in the cluster, "
        "nor what a mirror serves under a name. Of other charts' values it sees `hub`, `image` (as text, or "
        "by `registry` and `repository`) and `imageRegistry`; other values only if they name a retired "
        "source."
    ),
    remedy=(
        "set mcsps:istio.charts, mcsps:istio.hub and mcsps:helloworld.images to "
        "https://blob.istio.io/istio-release/charts, oci://ghcr.io/istio/release/charts, docker.io/istio or a mirror; "
        "allowedSources in the policy config lists the allowed sources"
    ),
    schema={
        ALLOWED: {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Allowed registries and repositories, with or without a path. Empty: all but retired ones.",
        }
    },
)


def check(resource: Resource, parameters: Parameters) -> Iterator[str]:
    """Check the sources of charts, the hubs and images in their values, and the images of pods."""
    allowed: Sequence[str] = parameters[ALLOWED]
    for what, source in _sources(resource):
        if any(_is_within(source, retired) for retired in RETIRED):
            yield f"{resource} has {what} {show(source)}, a retired source"
        elif allowed and not any(_is_within(source, place) for place in allowed):
            yield f"{resource} has {what} {show(source)}; allowed is {', '.join(allowed)}"


def _sources(resource: Resource) -> Iterator[tuple[str, str]]:
    if resource.is_chart and (source := charts.source(resource)):
        yield "the source", source
    for place, text in texts(charts.values(resource)):
        # The hub is always a source; of other values only a retired source is certain to be one.
        is_retired = place[-1] != charts.IMAGE and any(_is_within(text, retired) for retired in RETIRED)
        if place[-1] == "hub" or is_retired:
            yield show_place(place), text
    for what, image in charts.images(resource):
        yield what, image.repository
    yield from charts.registries(resource)
    for name in resource.images():
        yield "the image", image_names.parse(name).repository


def _is_within(source: str, place: str) -> bool:
    source, place = image_names.source(source), image_names.source(place)
    return source == place or source.startswith((f"{place}/", f"{place}:", f"{place}@"))


POLICY = resource_policy(RULE, check)
