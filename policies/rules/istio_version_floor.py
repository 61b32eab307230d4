"""Istio is new enough to keep a peer when its remote secret changes."""

import re
from collections.abc import Iterator

from policies.lib import charts, image_names
from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, Place, look, show, show_place

MINIMUM = "minimumVersion"
TAGS_OF_A_CHART = (("tag",), ("global", "tag"), ("pilot", "tag"))
TAGS_OF_THE_OPERATOR = (("tag",), ("values", "global", "tag"), ("values", "pilot", "tag"))
LATEST = "latest"
VERSION = re.compile(r"v?(?P<major>\d+)\.(?P<minor>\d+)(\.(?P<patch>\d+))?([-+](?P<rest>[\w.+-]+))?", re.ASCII)
UNFINISHED = ("alpha", "beta", "dev", "rc")
RULE = Rule(
    name="mcsps-istio-version-floor",
    description="Istio is at least the version that handles a changed remote secret without losing the peer.",
    why=(
        "Older versions of Istio lose a peer's endpoints while its remote secret changes, so each token "
        "rotation loses requests."
    ),
    limits=(
        "It does not see a version behind a digest, the version that a chart's folder or an operator takes by "
        "default, or proxies that were injected before. It knows Istio's images by `istio` in their "
        "repository, or by what runs them."
    ),
    remedy="raise mcsps:istio.version and mcsps:istio.tag, or lower minimumVersion in the policy config",
    schema={
        MINIMUM: {
            "type": "string",
            "pattern": r"^\d+\.\d+\.\d+$",
            "default": "1.30.4",
            "description": "The oldest Istio allowed.",
        }
    },
)

Version = tuple[int, int, int, bool]
"""Major, minor, patch, and whether it is a release, which sorts after its pre-releases."""


def check(resource: Resource, parameters: Parameters) -> Iterator[str]:
    """Check the versions of Istio's charts, the tags in their values, and the images of Istio's pods."""
    minimum = str(parameters[MINIMUM])
    for what, version in _versions(resource):
        found = parse(version)
        if found is None:
            yield f"{resource} has {what} {show(version)}, which is not a version; allowed is {minimum} or newer"
        elif found < (parse(minimum) or found):
            yield f"{resource} has {what} {show(version)}; allowed is {minimum} or newer"


def parse(text: object) -> Version | None:
    """Parse a version or a tag such as `1.31.1-distroless`; None for any other text."""
    found = VERSION.fullmatch(str(text))
    if found is None:
        return None
    is_release = not (found["rest"] or "").startswith(UNFINISHED)
    return int(found["major"]), int(found["minor"]), int(found["patch"] or 0), is_release


def _versions(resource: Resource) -> Iterator[tuple[str, object]]:
    is_sail, is_istio = charts.is_sail(resource), charts.is_istio(resource)
    place: Place = ("spec", "version") if is_sail else ("version",)
    found = [(place, look(resource.properties, *map(str, place)))] if is_sail or is_istio else []
    is_operator = is_sail or charts.is_istio_operator(resource)
    tags = TAGS_OF_THE_OPERATOR if is_operator else TAGS_OF_A_CHART if is_istio else ()
    for root, values in charts.values(resource).items():
        found += [((root, *path), look(values, *path)) for path in tags]
    for place, version in found:
        # Without a version Helm takes the newest, or the folder's; an empty tag means the chart's own.
        if version not in (None, UNKNOWN, ""):
            yield show_place(place), version
    of_pods = (("image", image_names.parse(name)) for name in resource.images())
    for what, image in (*of_pods, *charts.images(resource)):
        version = LATEST if image.is_latest else image.tag
        if version is not None and charts.is_istio_image(image, resource):
            yield f"{what} {image.repository} of version", version


POLICY = resource_policy(RULE, check)
