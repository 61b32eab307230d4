"""The rules that charts and images are new enough, and come from allowed sources that are not retired."""

import json
from dataclasses import replace
from typing import Any

import pytest
from pulumi_policy.deserialize import SPECIAL_ASSET_SIG, SPECIAL_SIG_KEY

from mesh import istio_values, operator_specs
from mesh.reader_rules import ReaderRights
from policies.lib.image_names import Image, parse
from policies.rules import allowed_sources, istio_version_floor
from tests.support.bad_config import ABSENT, Place, put
from tests.support.policies import UNKNOWN, Made, assert_bears_all, judge
from tests.support.recording import CHART, DEPLOYMENT

RELEASE = "kubernetes:helm.sh/v3:Release"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
CHARTS = "https://blob.istio.io/istio-release/charts"
CONTROL_PLANE = istio_values.ControlPlane(
    mesh_id="mesh",
    trust_domain="cluster.local",
    cluster_name="east",
    network="network-east",
    hub="docker.io/istio",
    tag="1.31.1",
    timeout_seconds=600,
)
ISTIOD = Made(
    type=CHART,
    name="east-istio-istiod",
    inputs={
        "chart": "istiod",
        "name": "istiod",
        "namespace": "istio-system",
        "repositoryOpts": {"repo": CHARTS},
        "version": "1.31.1",
        "values": istio_values.istiod_values(CONTROL_PLANE, ReaderRights(secrets=True, endpoints=False)),
    },
)
OPERATOR = Made(
    type="kubernetes:install.istio.io/v1alpha1:IstioOperator",
    name="east-istio-control-plane",
    inputs={
        "metadata": {"name": "east", "namespace": "istio-system"},
        "spec": operator_specs.control_plane_spec(CONTROL_PLANE),
    },
)
ALLOWED = ["docker.io/istio", CHARTS]
TAG: Place = ("values", "global", "tag")
HUB: Place = ("values", "global", "hub")
REPOSITORY: Place = ("repositoryOpts", "repo")
IMAGE: Place = ("spec", "template", "spec", "containers", 0, "image")


def changed(made: Made, place: Place, value: object) -> Made:
    """Return the resource with another value at one place."""
    return replace(made, inputs=put(made.inputs, place, value))


def deployment(image: Any, *, key: str = "containers") -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """Return a Deployment of a rendered chart, as the engine shows it."""
    spec = {"template": {"spec": {key: [{"name": "it", "image": image}]}}}
    metadata = {"name": "istiod", "namespace": "istio-system"}
    return Made(type=DEPLOYMENT, name="istiod", inputs={"metadata": metadata, "spec": spec})


def injector(values: Any, *, name: str = "istio-sidecar-injector") -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """Return the ConfigMap from which istiod injects proxies, as the engine shows it."""
    data = {"values": json.dumps(values, indent=2), "config": "defaultTemplates: [sidecar]"}
    return Made(type=CONFIG_MAP, inputs={"metadata": {"name": name, "namespace": "istio-system"}, "data": data})


PROXY: Place = ("values", "global", "proxy", "image")
OLD_PROXY = "evil.example/istio/proxyv2:1.20.0"


@pytest.mark.parametrize(
    ("made", "place"),
    [
        (changed(ISTIOD, PROXY, OLD_PROXY), "values.global.proxy.image"),
        (changed(ISTIOD, ("values", "global", "proxy_init"), {"image": OLD_PROXY}), "values.global.proxy_init.image"),
        (changed(ISTIOD, ("values", "image"), "evil.example/istio/pilot:1.20.0"), "values.image"),
        (changed(ISTIOD, PROXY, f"{OLD_PROXY}@sha256:00"), "values.global.proxy.image"),
        (changed(OPERATOR, ("spec", *PROXY), OLD_PROXY), "spec.values.global.proxy.image"),
        (injector({"global": {"proxy": {"image": OLD_PROXY}}}), "data.values.global.proxy.image"),
        (
            injector({"global": {"proxy": {"image": OLD_PROXY}}}, name="istio-sidecar-injector-canary"),
            "data.values.global.proxy.image",
        ),
    ],
    ids=["a proxy", "what starts before it", "istiod", "with a digest", "by the operator", "injected", "of a revision"],
)
def test_an_image_in_a_value_is_judged_as_that_of_a_pod(made: Made, place: str) -> None:
    """Istio's charts use an image with a slash as it is, without their hub and tag."""
    (found,) = judge(istio_version_floor.POLICY, made)
    assert f"has {place} evil.example/istio/" in found.message
    assert "of version '1.20.0'; allowed is 1.30.4 or newer" in found.message
    found, *_ = judge(allowed_sources.POLICY, made, allowedSources=ALLOWED)
    assert f"has {place} 'evil.example/istio/" in found.message
    assert judge(allowed_sources.POLICY, made, allowedSources=[*ALLOWED, "evil.example"]) == []


def test_a_file_of_values_is_judged_as_values() -> None:
    """Helm merges the files and the values."""
    text = json.dumps({"global": {"hub": "evil.example/istio", "tag": "1.20.0", "proxy": {"image": OLD_PROXY}}})
    file = {SPECIAL_SIG_KEY: SPECIAL_ASSET_SIG, "text": text}
    made = changed(ISTIOD, ("valueYamlFiles",), [file])
    (by_tag, by_image) = judge(istio_version_floor.POLICY, made)
    assert "has valueYamlFiles[0].global.tag '1.20.0'" in by_tag.message
    assert "has valueYamlFiles[0].global.proxy.image evil.example/istio/proxyv2 of version '1.20.0'" in by_image.message
    (by_hub, by_image) = judge(allowed_sources.POLICY, made, allowedSources=ALLOWED)
    assert "has valueYamlFiles[0].global.hub 'evil.example/istio'" in by_hub.message
    assert "has valueYamlFiles[0].global.proxy.image 'evil.example/istio/proxyv2'" in by_image.message


@pytest.mark.parametrize(
    "made",
    [
        changed(ISTIOD, PROXY, "proxyv2"),
        changed(ISTIOD, PROXY, UNKNOWN),
        changed(ISTIOD, PROXY, 5),
        changed(ISTIOD, ("values", "global", "proxy", "logo"), OLD_PROXY),
        changed(ISTIOD, PROXY, "docker.io/istio/proxyv2:1.31.1"),
        injector({"global": {"proxy": {"image": OLD_PROXY}}}, name="mesh"),
        replace(injector(None), inputs={"metadata": {"name": "istio-sidecar-injector"}, "data": {"values": "{"}}),
        replace(injector(None), inputs={"metadata": {"name": UNKNOWN}, "data": {"values": "{}"}}),
    ],
    ids=[
        "a name, to which hub and tag are added",
        "not known yet",
        "of a wrong type",
        "no image",
        "a new one",
        "of another ConfigMap",
        "no values",
        "of a ConfigMap not known yet",
    ],
)
def test_other_values_are_no_images(made: Made) -> None:
    """Values with allowed images pass as well."""
    for policy, config in ((istio_version_floor.POLICY, {}), (allowed_sources.POLICY, {"allowedSources": ALLOWED})):
        assert judge(policy, made, **config) == []


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (changed(ISTIOD, ("version",), "1.30.3"), "Chart east-istio-istiod has version '1.30.3'"),
        (changed(ISTIOD, ("version",), "1.30.4-rc.1"), "has version '1.30.4-rc.1'"),
        (changed(ISTIOD, ("version",), "v1.9.10"), "has version 'v1.9.10'"),
        (changed(ISTIOD, ("version",), ">=1.30"), "has version '>=1.30', which is not a version"),
        (changed(ISTIOD, ("version",), "1.31.x"), "has version '1.31.x', which is not a version"),
        (changed(ISTIOD, ("version",), [1]), "has version a list of 1, which is not a version"),
        (changed(ISTIOD, TAG, "1.30"), "has values.global.tag '1.30'"),
        (changed(ISTIOD, TAG, 1.3), "has values.global.tag 1.3"),
        (changed(ISTIOD, TAG, "latest"), "has values.global.tag 'latest', which is not a version"),
        (changed(ISTIOD, ("values", "pilot"), {"tag": "1.29.1"}), "has values.pilot.tag '1.29.1'"),
        (changed(ISTIOD, ("values", "tag"), "0.1.0"), "has values.tag '0.1.0'"),
        (
            changed(OPERATOR, ("spec", "tag"), "1.23.0"),
            "IstioOperator istio-system/east of cluster east has spec.tag '1.23.0'",
        ),
        (
            deployment("docker.io/istio/pilot:1.30.3-distroless"),
            "Deployment istio-system/istiod of cluster east has image docker.io/istio/pilot of version '1.30.3-",
        ),
        (
            deployment("gcr.io/x/proxyv2:1.29.0@sha256:00", key="initContainers"),
            "has image gcr.io/x/proxyv2 of version",
        ),
    ],
)
def test_an_older_istio_is_refused(made: Made, told: str) -> None:
    """A chart or an image without a readable version is refused as well."""
    (found,) = judge(istio_version_floor.POLICY, made)
    assert told in found.message
    assert "; allowed is 1.30.4 or newer.\n" in found.message
    assert "To fix it, raise mcsps:istio.version and mcsps:istio.tag" in found.message


@pytest.mark.parametrize(
    "version", ["1.30.4", "1.30.10", "1.31", "1.31.0-rc.0", "v2.0.0", "1.30.4-distroless", UNKNOWN]
)
def test_that_version_and_newer_ones_are_allowed(version: str) -> None:
    """This holds for charts and for tags."""
    assert judge(istio_version_floor.POLICY, changed(changed(ISTIOD, ("version",), version), TAG, version)) == []


def test_the_oldest_version_is_a_parameter() -> None:
    """The policy config sets the oldest version."""
    (by_version, by_tag) = judge(istio_version_floor.POLICY, ISTIOD, minimumVersion="1.31.2")
    assert "has version '1.31.1'; allowed is 1.31.2 or newer" in by_version.message
    assert "has values.global.tag '1.31.1'; allowed is 1.31.2 or newer" in by_tag.message
    assert judge(istio_version_floor.POLICY, changed(ISTIOD, ("version",), "1.30.3"), minimumVersion="1.29.0") == []


@pytest.mark.parametrize(
    "made",
    [
        changed(changed(ISTIOD, ("version",), ABSENT), ("chart",), "/var/lib/charts/istiod"),
        changed(ISTIOD, TAG, ""),
        deployment("auto"),
        deployment("docker.io/istio/pilot@sha256:00"),
        deployment("docker.io/library/redis:6.0.0"),
        deployment(5),
        Made(type=CHART, inputs={"chart": "gateway", "namespace": "other", "version": "0.1.0"}),
        Made(type=CHART, inputs={"chart": "redis", "namespace": "istio-system", "version": "0.1.0"}),
    ],
    ids=[
        "a folder",
        "the chart's own tag",
        "an injected image",
        "a digest",
        "another's image",
        "an image of a wrong type",
        "another's gateway",
        "another's chart",
    ],
)
def test_what_says_no_version_of_istio_is_left_alone(made: Made) -> None:
    """Such a resource is judged by its rendered objects, if it has any."""
    assert judge(istio_version_floor.POLICY, made) == []


@pytest.mark.parametrize(
    "inputs",
    [
        {"chart": "oci://ghcr.io/istio/release/charts/base"},
        {"chart": "/var/lib/charts/base", "namespace": "istio-system"},
        {"chart": "base", "repositoryOpts": {"repo": CHARTS}},
        {"chart": "istiod", "repositoryOpts": {"repo": "https://mirror.example"}},
    ],
)
def test_istio_s_charts_are_known_by_where_they_come_from_or_go(inputs: dict[str, Any]) -> None:
    """Other charts have the same names, so the name is not enough."""
    for type_ in (CHART, "kubernetes:helm.sh/v3:Release"):
        assert len(judge(istio_version_floor.POLICY, Made(type=type_, inputs={**inputs, "version": "1.29.0"}))) == 1


def test_a_version_not_known_yet_may_be_new_enough() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    proxied = changed(ISTIOD, PROXY, "docker.io/istio/proxyv2:1.31.1")
    injected = injector({"global": {"proxy": {"image": "docker.io/istio/proxyv2:1.31.1"}}})
    assert_bears_all(
        istio_version_floor.POLICY,
        proxied,
        OPERATOR,
        deployment("docker.io/istio/pilot:1.31.1"),
        injected,
        refused={"version", "tag"},
    )


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (
            changed(ISTIOD, REPOSITORY, "https://istio-release.storage.googleapis.com/charts"),
            "Chart east-istio-istiod has the source 'https://istio-release.storage.googleapis.com/charts'",
        ),
        (
            changed(ISTIOD, REPOSITORY, "https://istio-release.storage.googleapis.com"),
            "has the source 'https://istio-release.storage.googleapis.com'",
        ),
        (
            Made(type=CHART, inputs={"chart": "oci://gcr.io/istio-release/charts/base"}),
            "has the source 'oci://gcr.io/istio-release/charts/base'",
        ),
        (changed(ISTIOD, HUB, "gcr.io/istio-release"), "has values.global.hub 'gcr.io/istio-release'"),
        (
            changed(ISTIOD, ("values", "mirrorOf"), "https://istio-release.storage.googleapis.com/charts/"),
            "has values.mirrorOf 'https://istio-release.storage.googleapis.com/charts/'",
        ),
        (
            changed(ISTIOD, ("values", "pilot"), {"image": "registry.istio.io/release/pilot:1.31.1"}),
            "has values.pilot.image 'registry.istio.io/release/pilot'",
        ),
        (
            changed(OPERATOR, ("spec", "hub"), "gcr.io/istio-release"),
            "IstioOperator istio-system/east of cluster east has spec.hub 'gcr.io/istio-release'",
        ),
        (deployment("gcr.io/istio-release/pilot:1.31.1"), "has the image 'gcr.io/istio-release/pilot'"),
        (
            deployment("registry.istio.io/release/examples-helloworld-v1:1.0"),
            "has the image 'registry.istio.io/release/examples-helloworld-v1'",
        ),
    ],
)
def test_what_comes_from_a_retired_place_is_refused(made: Made, told: str) -> None:
    """This holds even if the policy config allows the source."""
    for allowed in ([], ["gcr.io", "registry.istio.io", "istio-release.storage.googleapis.com", "blob.istio.io"]):
        found = judge(allowed_sources.POLICY, made, allowedSources=allowed)
        (told_of,) = (it.message for it in found if "a retired source." in it.message)
        assert told in told_of
        assert (
            "To fix it, set mcsps:istio.charts, mcsps:istio.hub and mcsps:helloworld.images to https://blob.istio.io"
            in told_of
        )


@pytest.mark.parametrize(
    "image", ["gcr.io/istio-release-2/pilot", "my.registry.istio.io/pilot", "pilot", "auto", 5, None]
)
def test_only_a_place_itself_is_retired(image: object) -> None:
    """A name that only looks like a retired source passes."""
    assert judge(allowed_sources.POLICY, deployment(image)) == []


RETIRED_AND_HIDDEN = "GCR.io:443/istio-release/pilot"
POD = {"containers": [{"name": "app", "image": "mirror.example/app:1"}]}


@pytest.mark.parametrize(
    "made",
    [
        deployment(f"{RETIRED_AND_HIDDEN}:1.31.1"),
        deployment(f"{RETIRED_AND_HIDDEN}:1.31.1", key="initContainers"),
        deployment(f"{RETIRED_AND_HIDDEN}:1.31.1", key="ephemeralContainers"),
        Made(
            type="kubernetes:core/v1:Pod",
            inputs={"spec": {**POD, "volumes": [{"name": "it", "image": {"reference": f"{RETIRED_AND_HIDDEN}:1"}}]}},
        ),
        Made(
            type="kubernetes:batch/v1:CronJob",
            inputs={
                "spec": {
                    "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"image": RETIRED_AND_HIDDEN}]}}}}
                }
            },
        ),
        Made(type=RELEASE, inputs={"values": {"image": {"registry": "GCR.io", "repository": "istio-release/pilot"}}}),
        Made(type=RELEASE, inputs={"values": {"proxyImage": {"repository": "gcr.io/istio-release/proxyv2"}}}),
        Made(type=RELEASE, inputs={"values": {"image": {"registry": "gcr.io/istio-release"}}}),
        Made(type=RELEASE, inputs={"values": {"global": {"imageRegistry": "registry.istio.io"}}}),
        Made(
            type=RELEASE, inputs={"repositoryOpts": {"repo": "https://me@ISTIO-release.storage.googleapis.com:443/c"}}
        ),
        Made(type=RELEASE, inputs={"chart": "oci://GCR.IO/istio-release/charts/base"}),
        Made(
            type="kubernetes:sailoperator.io/v1:Istio",
            inputs={"spec": {"version": "v1.31.1", "values": {"global": {"hub": "gcr.io/istio-release"}}}},
        ),
    ],
    ids=[
        "a container",
        "an initial container",
        "a container for debugging",
        "an image volume",
        "a job",
        "the parts of a value",
        "a value of another name",
        "the registry of a value",
        "the registry of all values",
        "a Release's repository",
        "a Release's chart",
        "Sail's Istio",
    ],
)
def test_a_retired_place_is_known_in_any_spelling(made: Made) -> None:
    """This holds for every field that holds an image."""
    (found, *_) = judge(allowed_sources.POLICY, made)
    assert "a retired source." in found.message


@pytest.mark.parametrize(
    "made",
    [
        deployment("index.docker.io/istio/pilot:1.31.1"),
        deployment("Docker.IO/istio/pilot:1.31.1"),
        changed(ISTIOD, HUB, "istio"),
        changed(ISTIOD, REPOSITORY, "HTTPS://blob.istio.io:443/istio-release/charts/"),
        Made(type=RELEASE, inputs={"values": {"image": {"registry": UNKNOWN, "repository": UNKNOWN}, "tag": 5}}),
        Made(type=RELEASE, inputs={"values": {"global": {"imageRegistry": ""}, "image": {"registry": 5}}}),
        Made(type=RELEASE, inputs={"values": {"image": {"registry": "", "repository": "istio/pilot", "tag": UNKNOWN}}}),
    ],
)
def test_an_allowed_place_is_known_in_any_spelling(made: Made) -> None:
    """Every spelling of the source refers to the same registry."""
    assert judge(allowed_sources.POLICY, made, allowedSources=["index.docker.io/istio", CHARTS]) == []


def test_a_url_that_is_none_is_no_allowed_source() -> None:
    """An invalid URL does not stop the rule."""
    made = changed(ISTIOD, REPOSITORY, "https://[charts")
    (found,) = judge(allowed_sources.POLICY, made, allowedSources=["docker.io/istio"])
    assert "has the source 'https://[charts'; allowed is" in found.message


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (deployment("docker.io/istio/pilot"), "has image docker.io/istio/pilot of version 'latest'"),
        (changed(ISTIOD, PROXY, "docker.io/istio/proxyv2"), "has values.global.proxy.image docker.io/istio/proxyv2 of"),
        (
            Made(type="kubernetes:sailoperator.io/v1:Istio", inputs={"spec": {"version": "v1.29.0"}}),
            "has spec.version 'v1.29.0'",
        ),
        (
            Made(
                type="kubernetes:sailoperator.io/v1:ZTunnel",
                inputs={"spec": {"values": {"image": {"repository": "hub.example/ztunnel", "tag": "1.29.0"}}}},
            ),
            "has spec.values.image hub.example/ztunnel of version '1.29.0'",
        ),
        (
            Made(type=RELEASE, inputs={"values": {"image": {"repository": "docker.io/istio/pilot", "tag": "1.20.0"}}}),
            "has values.image docker.io/istio/pilot of version '1.20.0'",
        ),
        (
            replace(
                deployment("hub.example/mesh/proxyv2:1.2.0"),
                under="mcsps:index:IstioInstall",
                inputs={"spec": {"containers": [{"image": "hub.example/mesh/proxyv2:1.2.0"}]}},
            ),
            "has image hub.example/mesh/proxyv2 of version '1.2.0'",
        ),
    ],
    ids=["no tag", "no tag in a value", "Sail's Istio", "Sail's values", "a Release's value", "below a component"],
)
def test_an_older_istio_is_refused_wherever_it_comes_from(made: Made, told: str) -> None:
    """An image without a tag has no known version."""
    (found,) = judge(istio_version_floor.POLICY, made)
    assert told in found.message


@pytest.mark.parametrize(
    "made",
    [
        changed(deployment("registry.example/flight/pilot:0.9.1"), ("metadata", "namespace"), "flight"),
        changed(deployment("registry.example/flight/pilot:main-3f2a9c8"), ("metadata", "namespace"), "flight"),
        changed(deployment("registry.example/flight/pilot"), ("metadata", "namespace"), "flight"),
        Made(type=RELEASE, inputs={"chart": "flight", "values": {"image": {"repository": "hub.example/flight/pilot"}}}),
        Made(type=RELEASE, inputs={"chart": "istiod", "values": {"image": {"repository": "docker.io/istio/pilot"}}}),
    ],
    ids=["another's version", "another's commit", "another's latest", "another's value", "the chart's own version"],
)
def test_another_pilot_has_versions_of_its_own(made: Made) -> None:
    """Such an image is not one of Istio's."""
    assert judge(istio_version_floor.POLICY, made) == []


MIRROR = ["mirror.example:5000/istio", "https://charts.example/istio/"]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (deployment("docker.io/istio/pilot:1"), "the image 'docker.io/istio/pilot'"),
        (deployment("istio/pilot"), "the image 'docker.io/istio/pilot'"),
        (deployment("redis"), "the image 'docker.io/library/redis'"),
        (deployment("mirror.example:5000/istio2/pilot"), "the image 'mirror.example:5000/istio2/pilot'"),
        (OPERATOR, "spec.hub 'docker.io/istio'"),
        (changed(ISTIOD, HUB, "mirror.example:5000/istio"), f"the source '{CHARTS}'"),
        (changed(ISTIOD, REPOSITORY, "https://charts.example/istio"), "values.global.hub 'docker.io/istio'"),
    ],
)
def test_with_a_mirror_everything_else_is_refused(made: Made, told: str) -> None:
    """This holds for charts, hubs and images."""
    (found,) = judge(allowed_sources.POLICY, made, allowedSources=MIRROR)
    assert f"has {told}; allowed is mirror.example:5000/istio, https://charts.example/istio/.\n" in found.message


@pytest.mark.parametrize(
    "made",
    [
        deployment("mirror.example:5000/istio/pilot:1.31.1"),
        changed(changed(ISTIOD, HUB, "mirror.example:5000/istio"), REPOSITORY, "https://charts.example/istio"),
        Made(type=CHART, inputs={"chart": "oci://mirror.example:5000/istio/base"}),
        Made(type=CHART, inputs={"chart": "/var/lib/charts/base"}),
        deployment("auto"),
    ],
    ids=["an image", "a chart and its hub", "a chart of a registry", "a folder", "an injected image"],
)
def test_what_comes_from_the_mirror_is_allowed(made: Made) -> None:
    """A resource without a source passes as well."""
    assert judge(allowed_sources.POLICY, made, allowedSources=MIRROR) == []


def test_a_source_not_known_yet_may_be_allowed() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    proxied = changed(ISTIOD, PROXY, "docker.io/istio/proxyv2:1.31.1")
    injected = injector({"global": {"proxy": {"image": "docker.io/istio/proxyv2:1.31.1"}}})
    assert_bears_all(allowed_sources.POLICY, proxied, OPERATOR, deployment("docker.io/istio/pilot:1.31.1"), injected)


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("redis", Image(repository="docker.io/library/redis", tag=None, is_latest=True)),
        ("docker.io/redis:7", Image(repository="docker.io/library/redis", tag="7")),
        ("index.docker.io/redis:7", Image(repository="docker.io/library/redis", tag="7")),
        ("istio/pilot:1.31.1", Image(repository="docker.io/istio/pilot", tag="1.31.1")),
        ("localhost/pilot:1", Image(repository="localhost/pilot", tag="1")),
        ("mirror:5000/pilot", Image(repository="mirror:5000/pilot", tag=None, is_latest=True)),
        ("mirror.example:443/pilot:1", Image(repository="mirror.example/pilot", tag="1")),
        ("Mirror.Example/pilot:1", Image(repository="mirror.example/pilot", tag="1")),
        ("MIRROR/pilot:1", Image(repository="mirror/pilot", tag="1")),
        ("mirror.example/a/pilot@sha256:00", Image(repository="mirror.example/a/pilot", tag=None)),
        ("mirror.example/a/pilot:1@sha256:00", Image(repository="mirror.example/a/pilot", tag="1")),
    ],
)
def test_an_image_s_name_is_read_as_it_is_pulled(text: str, image: Image) -> None:
    """The parser does not take a port for a tag."""
    assert parse(text) == image
