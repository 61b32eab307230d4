"""Stack config: what the program accepts, what it refuses, and the text of the error."""

import base64
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from config import preflight
from config.loader import load
from config.parsing import parse
from config.schema import Credential, Settings, Version
from config.secrets import SECRET_KEYS
from errors import UserError
from tests.support import pems
from tests.support.bad_config import ABSENT, BAD_STACKS, BAD_VALUES, BY_OPERATOR, BadStack, BadValue, Place, put
from tests.support.leaks import MARK
from tests.support.preflight import TODAY, find_by_config
from tests.support.recording import RecordingMonitor
from tests.support.stacks import LAB, in_regions, lab_stack, load_values

GOOD = load_values("lab")
RANCHER = load_values("mcsps-test")
GOOD_VALUES: dict[str, tuple[Place, object]] = {
    "a weight as text": (("v2Weight",), "10"),
    "the least weight": (("v2Weight",), 0),
    "the greatest weight": (("v2Weight",), 100),
    "the longest name": (("clusters", 1, "name"), "w" * 48),
    "a name of digits": (("clusters", 1, "name"), "1"),
    "a name with 'to' inside a word": (("clusters", 1, "name"), "tokyo-toronto"),
    "a trust domain of labels": (("mesh", "trustDomain"), "mesh.example"),
    "the first version of the charts": (("istio",), {"version": "1.30.0", "tag": "1.30.0"}),
    "images of a later patch": (("istio", "tag"), "1.31.7-distroless"),
    "a tag of the mirror's own kind": (("istio", "tag"), "stable"),
    "the first version by the operator": (("istio",), {**BY_OPERATOR, "version": "1.12.0", "tag": "1.12.0-distroless"}),
    "the last version by the operator": (("istio",), {**BY_OPERATOR, "values": {}}),
    "a hub that is a registry alone": (("istio", "hub"), "localhost:5000"),
    "a hub of an IPv6 address": (("istio", "hub"), "[2001:db8::1]:5000/istio"),
    "a hub of Docker's": (("istio", "hub"), "istio"),
    "a registry in capitals": (("istio", "hub"), "Registry.Example/istio"),
    "the longest hub": (("istio", "hub"), f"docker.io/{'a' * 237}"),
    "the longest tag": (("istio", "tag"), "_" * 128),
    "an image by tag and digest": (("verify", "clientImage"), f"ghcr.io/acme/token_x__y-z.v:1.0@sha256:{'0a' * 32}"),
    "an image of Docker's": (("helloworld", "images"), {"v1": "nginx", "v2": "library/nginx:1.0-Alpine"}),
    "a pre-release": (("istio",), {"version": "1.32.0-beta.1", "tag": "1.32-alpha.3f2a9c8"}),
    "values laid into the program's blocks": (
        ("istio", "values"),
        {"istiod": {"global": {"proxy": {"resources": {"limits": {"cpu": None}}}}}, "base": {"new": 1}},
    ),
    "requests that are the limits": (
        ("helloworld", "resources"),
        {"requests": {"cpu": "0.2"}, "limits": {"cpu": "200m", "memory": "1e9"}},
    ),
    "two labels of nodes": (("clusters", 0, "namespaceNodeSelector"), "role=ingress,example.com/zone="),
    "the highest port": (("clusters", 0, "peerServer"), "https://[2001:db8::1]:65535/below"),
    "a name with the dot of the root": (("clusters", 0, "peerServer"), "https://kube_api.east.example.:6443"),
    "the longest network": (("clusters", 1, "network"), "n" * 63),
    "a registry of charts": (("istio", "charts"), "oci://registry.example/charts"),
    "any token of a header's name": (
        ("audiences",),
        [{"name": "a", "version": "v1", "header": {"name": "!#$%&'*+-.^_`|~09az", "prefix": "~ "}}],
    ),
    "the longest regex": (
        ("audiences",),
        [{"name": "a", "version": "v1", "header": {"name": "cookie", "regex": "a" * 1024}}],
    ),
    "a regex of a backslash and a C": (
        ("audiences",),
        [{"name": "a", "version": "v1", "header": {"name": "x", "regex": r"\\C"}}],
    ),
    "the longest header": (
        ("audiences",),
        [{"name": "a", "version": "v1", "header": {"name": "x" * 256, "prefix": "a" * 8192}}],
    ),
    "a header of one character": (
        ("audiences",),
        [{"name": "a", "version": "v1", "header": {"name": "x", "exact": "!"}}],
    ),
    "no rancher, as Pulumi.yaml's default has it": (("rancher",), {}),
    "Rancher's own cluster": (("rancher",), {"url": "https://rancher.example:8443/below"}),
    "a renewal just after the start": (
        ("trust",),
        {"intermediateValidityHours": 24, "intermediateEarlyRenewalHours": 23},
    ),
    "a root as old as its intermediates": (("trust",), {"rootValidityHours": 8760}),
}

PLACES = {"OpenStack's": ("RegionOne", "nova"), "a data centre's": ("DC1", "rack_7"), "numbers": ("0", "1")}
"""Regions and zones with the names that clouds use."""

GOOD_FAILOVERS: dict[str, dict[str, object]] = {
    "no retry": {"retryAttempts": 0},
    "the greatest failover": {
        "retryAttempts": 10,
        "consecutiveGatewayErrors": 100,
        "intervalSeconds": 3600,
        "maxEjectionPercent": 1,
    },
}

READ_AS: dict[tuple[Place, str], object] = {(("v2Weight",), "10"): 10, (("rancher",), "{}"): None}
"""The values that the program converts, by place and text."""


@pytest.mark.parametrize("stack", ["lab", "mcsps-test"])
def test_both_stack_files_are_taken(stack: str) -> None:
    """Both files are accepted unchanged."""
    assert len(parse(load_values(stack)).clusters) == 2


@pytest.mark.parametrize(("place", "value"), GOOD_VALUES.values(), ids=GOOD_VALUES.keys())
def test_what_is_just_allowed_is_taken(place: Place, value: object) -> None:
    """Each value is the last allowed one at a limit, and the settings contain it as it is written."""
    taken: Any = parse(put(GOOD, place, value)).model_dump(mode="json", by_alias=True)
    for step in place:
        taken = taken[step]
    assert says(taken, READ_AS.get((place, str(value)), value))


@pytest.mark.parametrize("failover", GOOD_FAILOVERS.values(), ids=GOOD_FAILOVERS.keys())
def test_failover_that_is_just_allowed_is_taken(tmp_path: Path, failover: dict[str, object]) -> None:
    """The stack has two regions."""
    stack = in_regions(lab_stack(tmp_path), "eu", "us").changed(failover=failover)
    assert says(parse(stack.values).failover.model_dump(by_alias=True), failover)


def says(taken: object, written: object) -> bool:
    """Return whether settings contain all that was written; they can contain defaults besides."""
    match written:
        case dict():
            return isinstance(taken, dict) and all(says(taken.get(key), item) for key, item in written.items())
        case list():
            return isinstance(taken, list) and all(says(*pair) for pair in zip(taken, written, strict=True))
        case _:
            return taken == written


def test_a_value_that_is_not_taken_is_seen() -> None:
    """Without this, the tests above would prove nothing."""
    assert says({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]})
    assert not says({"a": [{"b": 1}]}, {"a": [{"b": 2}]})
    assert not says({"a": 1}, {"a": 1, "b": 2})


@pytest.mark.parametrize("bad", BAD_VALUES.values(), ids=BAD_VALUES.keys())
def test_a_wrong_value_is_refused_by_its_key(bad: BadValue) -> None:
    """The error contains the value and what is allowed, and no traceback or secret."""
    with pytest.raises(UserError) as caught:
        parse(put(GOOD, bad.place, bad.value))
    message = str(caught.value)
    assert [part for part in bad.expected if part not in message] == [], message
    assert message.count("\n") == 1, message
    assert MARK not in message
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("bad", BAD_STACKS.values(), ids=BAD_STACKS.keys())
def test_wrong_files_and_secrets_are_refused_by_their_key(tmp_path: Path, bad: BadStack) -> None:
    """The program reads them together with the config, and quotes none of their content."""
    stack = bad.make(lab_stack(tmp_path), tmp_path)

    def check() -> None:
        preflight.run(*load(pulumi.Config()), TODAY, find_by_config)

    with pytest.raises(UserError) as caught:
        stack.run_on(RecordingMonitor(preview=False, stack=LAB), check)
    message = str(caught.value)
    assert [part for part in bad.expected if part not in message] == [], message
    key_lines = [line for secret in stack.secrets.values() for line in pems.secret_lines(secret)]
    assert [secret for secret in (MARK, *key_lines) if secret in message] == []
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_all_that_is_wrong_is_told_at_once() -> None:
    """The error has one line for each key."""
    bad = put(put(GOOD, ("mesh", "id"), "my mesh"), ("v2Weight",), "ten")
    with pytest.raises(UserError) as caught:
        parse(bad)
    first, *lines = str(caught.value).splitlines()
    assert first == "the stack's config is invalid:"
    assert [line.strip().partition(": ")[0] for line in lines] == ["mcsps:mesh.id", "mcsps:v2Weight"]


def test_an_unknown_key_hides_no_other_error() -> None:
    """The error contains all of them, at any depth."""
    bad = put(put(GOOD, ("mesh", "colour"), 1), ("clusters", 0, "access", "colour"), 1)
    with pytest.raises(UserError) as caught:
        parse(put(put(bad, ("colour",), 1), ("v2Weight",), "ten"))
    lines = [line.strip().partition(" ")[0] for line in str(caught.value).splitlines()[1:]]
    assert sorted(lines) == ["mcsps:", "mcsps:clusters[0].access:", "mcsps:mesh:", "mcsps:v2Weight:"]


@pytest.mark.parametrize(
    "value",
    [
        f"{MARK}{'x' * 80}",
        f"{MARK}\n",
        f"-----BEGIN PRIVATE KEY-----\\n{MARK}\\n{'x' * 64}",
        base64.b64encode(f"{MARK}{'x' * 80}".encode()).decode(),
        10**81,
    ],
)
def test_what_is_long_or_of_several_lines_is_not_quoted(value: object) -> None:
    """The user may have pasted a key, a token or a whole file."""
    with pytest.raises(UserError) as caught:
        parse(put(GOOD, ("v2Weight",), value))
    assert f"mcsps:v2Weight: got a value of {len(str(value))} characters; allowed: " in str(caught.value)


@pytest.mark.parametrize("address", ["https://east:6443/", "https://east:6443"])
def test_addresses_lose_their_last_slash(address: str) -> None:
    """Paths are appended to the addresses."""
    parsed = parse(put(GOOD, ("clusters", 0, "peerServer"), address))
    assert parsed.clusters[0].peer_server == "https://east:6443"


@pytest.mark.parametrize("charts", ["/charts/", "https://c.example/x/", "oci://c.example/x/"])
def test_chart_sources_lose_their_last_slash(charts: str) -> None:
    """Chart names are appended to the sources."""
    assert parse(put(GOOD, ("istio", "charts"), charts)).istio.charts == charts[:-1]


@pytest.mark.parametrize("hub", ["docker.io/istio/", "registry.example:5000/"])
def test_a_hub_loses_its_last_slash(hub: str) -> None:
    """Image names are appended to the hub."""
    assert parse(put(GOOD, ("istio", "hub"), hub)).istio.hub == hub[:-1]


@pytest.mark.parametrize(
    ("values", "settings", "credential"),
    [
        (GOOD, ABSENT, Credential.SERVICE_ACCOUNT),
        (RANCHER, ABSENT, Credential.RANCHER_TOKEN),
        (RANCHER, "serviceAccount", Credential.SERVICE_ACCOUNT),
        (RANCHER, "rancherToken", Credential.RANCHER_TOKEN),
    ],
)
def test_a_links_credential_fits_the_access_unless_it_is_chosen(
    values: dict[str, object], settings: object, credential: Credential
) -> None:
    """A kubeconfig gives no access to Rancher's API, which creates the tokens."""
    if settings is not ABSENT:
        values = put(values, ("clusters", 0, "linkCredential"), settings)
    assert parse(values).clusters[0].credential is credential


def test_settings_never_change() -> None:
    """The values within the settings cannot change either."""
    parsed = parse(GOOD)
    for section, key in ((parsed, "v2_weight"), (parsed.mesh, "id"), (parsed.clusters[0], "name")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(section, key, "other")


def test_defaults_are_istios_own() -> None:
    """A stack with minimal config gets the newest Istio from Istio's own repository."""
    least = {key: value for key, value in GOOD.items() if key in {"mesh", "clusters", "v2Weight"}}
    parsed = parse(least)
    assert (parsed.istio.hub, parsed.istio.tag) == ("docker.io/istio", parsed.istio.version)
    assert parsed.istio.charts.startswith("https://")
    assert parsed.trust.protect_root
    assert parsed.rancher is None
    assert parsed.mesh.trust_domain == "cluster.local"


@pytest.mark.parametrize(
    ("istio", "api"), [({}, "networking.istio.io/v1"), (BY_OPERATOR, "networking.istio.io/v1beta1")]
)
def test_routing_is_of_an_api_that_every_version_of_the_installer_serves(istio: dict[str, str], api: str) -> None:
    """An upgrade with the same installer then replaces no object because of the API version."""
    assert parse(put(GOOD, ("istio",), istio)).istio.networking_api == api


@pytest.mark.parametrize(("istio", "seconds"), [({}, 5), (BY_OPERATOR, 0)])
def test_pods_wait_before_they_end_where_their_kubernetes_can(istio: dict[str, str], seconds: int) -> None:
    """The pod waits as long as its proxy, so clients that still send requests get an answer."""
    assert parse(put(GOOD, ("istio",), istio)).istio.drain_seconds == seconds


def test_the_seeds_quotas_are_the_projects_defaults() -> None:
    """The project has the quotas that the project of the original installation had."""
    rancher = parse(RANCHER).rancher
    assert rancher is not None
    assert rancher.project.model_dump(by_alias=True) == {
        "name": "istio",
        "description": "Istio Manage Project",
        "containerLimit": {
            "limitsCpu": "200m",
            "limitsMemory": "128Mi",
            "requestsCpu": "100m",
            "requestsMemory": "64Mi",
        },
        "namespaceQuota": {"limitsCpu": "12000m", "limitsMemory": "12000Mi"},
        "projectQuota": {"limitsCpu": "12000m", "limitsMemory": "12000Mi"},
    }


def test_the_real_stack_describes_the_seeds_clusters() -> None:
    """The stack has their names, ids, networks, mesh id and hub, with v1 in the first and v2 in the second."""
    parsed = parse(RANCHER)
    assert parsed.mesh.id == "mcsps-test"
    assert parsed.istio.hub == "mtr.external.otc.telekomcloud.com/istio"
    assert [
        (cluster.name, cluster.network, getattr(cluster.access, "cluster_id", None), cluster.versions)
        for cluster in parsed.clusters
    ] == [
        ("mcsps-test-k8s-01", "mcsps-test-01", "c-f7r9g", (Version.V1,)),
        ("mcsps-test-k8s-02", "mcsps-test-02", "c-pzk8b", (Version.V2,)),
    ]


def test_the_real_stack_carries_no_lab_value() -> None:
    """The stack does not even contain a default that the lab sets."""
    text = json.dumps(RANCHER) + json.dumps(parse(RANCHER).model_dump(mode="json"))
    assert "mcsps.lab" not in text
    assert "mcsps-lab" not in text


def test_no_key_is_called_by_two_names() -> None:
    """No secret key has the name of a plain key."""
    plain = {info.alias for info in Settings.model_fields.values()}
    assert not plain & set(SECRET_KEYS)


@pytest.mark.parametrize(("region", "zone"), PLACES.values(), ids=PLACES.keys())
def test_places_have_the_names_that_their_cloud_gives_them(region: str, zone: str) -> None:
    """Audiences and the order of failover use the same names."""
    values = put(GOOD, ("clusters", 0, "locality"), {"region": region, "zone": zone})
    values = put(values, ("clusters", 1, "locality"), {"region": "Other"})
    values = put(values, ("audiences",), [{"name": "a", "version": "v1", "region": region}])
    settings = parse(put(values, ("failover",), {"order": [{"from": region, "to": "Other"}]}))
    assert settings.regions == (region, "Other")
    assert settings.failover.order[0].from_ == settings.audiences[0].region == region


def test_a_ca_is_taken_without_the_text_around_it(tmp_path: Path) -> None:
    """Bundles put the name of each certificate before it."""
    ca = pems.make_root(pems.make_key())
    (tmp_path / "ca.pem").write_text(f"# Acme\n{ca}\n# The same\n{ca}")
    settings = parse(put(RANCHER, ("rancher", "caCerts"), str(tmp_path / "ca.pem")))
    assert settings.rancher is not None
    assert settings.rancher.ca_certs == ca * 2


@pytest.mark.parametrize("weight", [0, 100])
def test_clusters_without_any_version_are_refused(weight: int) -> None:
    """No weight is valid for clusters without versions."""
    clusters = [{**cluster, "versions": []} for cluster in GOOD["clusters"]]
    with pytest.raises(UserError, match=r"mcsps:clusters: no cluster has versions; allowed: at least one cluster with"):
        parse({**GOOD, "clusters": clusters, "v2Weight": weight})


def test_a_wrong_value_of_the_only_cluster_is_all_that_is_told() -> None:
    """The error does not also say that the list has too few clusters."""
    with pytest.raises(UserError) as caught:
        parse({**GOOD, "clusters": [{**GOOD["clusters"][0], "network": "A"}]})
    assert str(caught.value).count("\n  mcsps:") == 1
