"""Invalid configs, and the texts that their errors must contain."""

import base64
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support import pems
from tests.support.leaks import MARK, fake_secret
from tests.support.preflight import TODAY
from tests.support.stacks import Stack, in_regions, kubeconfig

NOT_ONE = "mcsps:trust.rootCertificate: is not exactly one PEM certificate"
ABSENT = object()
"""A value that removes a key."""

Place = tuple[str | int, ...]


def put(values: Mapping[str, Any], place: Place, value: object) -> dict[str, Any]:
    """Return a copy of a config with another value at one place."""
    changed = copy.deepcopy(dict(values))
    target: Any = changed
    for step in place[:-1]:
        target = target.setdefault(step, {}) if isinstance(target, dict) else target[step]
    if value is ABSENT:
        del target[place[-1]]
    else:
        target[place[-1]] = value
    return changed


def places(value: object, place: Place = ()) -> Iterator[Place]:
    """Yield the places of all keys and list items in a value, at any depth."""
    steps = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for step, item in steps:
        yield (*place, step)
        yield from places(item, (*place, step))


@dataclass(frozen=True, kw_only=True)
class BadValue:
    """One wrong value in a good config of two clusters."""

    place: Place
    value: object
    expected: tuple[str, ...]
    """Parts of the error: the key, the value, and what is allowed."""


NAME: Place = ("clusters", 1, "name")
NETWORK: Place = ("clusters", 1, "network")
ACCESS: Place = ("clusters", 0, "access")
VERSIONS: Place = ("clusters", 1, "versions")
AWAY: Place = ("clusters", 1, "away")
LABEL = "allowed: a DNS label"
PERCENT = "allowed: a whole number from 0 to 100"
QUANTITY = "allowed: a Kubernetes quantity, such as 200m, 2 or 64Mi"
HUB = "allowed: a registry and a path such as docker.io/istio, without a scheme or a tag"
HTTPS = "allowed: an https:// URL"
NO_CA = "is not a PEM with certificates only; allowed: one or more CA certificates, as text or as the absolute path"
A_KIND = "allowed: kubeconfig or rancher"
KEYS = "allowed: audiences, clusters, failover, helloworld, istio, links, mesh, rancher, trust, v2Weight, verify"
TEAM = {"name": "x-team", "exact": "test"}


BY_OPERATOR = {"installer": "operator", "version": "1.23.6", "tag": "1.23.6"}


def with_project(**project: object) -> dict[str, Any]:
    """Return a section `rancher` with these fields of the project."""
    return {"url": "https://r.example", "project": project}


BAD_VALUES = {
    "an unknown key": BadValue(place=("colour",), value=1, expected=("mcsps: unknown key 'colour'; ", KEYS)),
    "a misspelt key": BadValue(
        place=("v2Wieght",), value=1, expected=("mcsps: unknown key 'v2Wieght'; ", KEYS, "Did you mean 'v2Weight'?")
    ),
    "a misspelt key inside": BadValue(
        place=("clusters", 0, "versoins"),
        value=["v1"],
        expected=("mcsps:clusters[0]: unknown key 'versoins'; allowed: access, ", "Did you mean 'versions'?"),
    ),
    "a key in Python's spelling": BadValue(
        place=("mesh", "trust_domain"), value="x", expected=("mcsps:mesh: unknown key 'trust_domain'", "'trustDomain'")
    ),
    "an unknown key of an access": BadValue(
        place=(*ACCESS, "clusterId"), value="local", expected=("mcsps:clusters[0].access: unknown key 'clusterId'",)
    ),
    "a missing object": BadValue(place=("mesh",), value=ABSENT, expected=("mcsps:mesh: missing. Set it in",)),
    "a missing key": BadValue(place=("mesh", "id"), value=ABSENT, expected=("mcsps:mesh.id: missing. Set it in",)),
    "a missing weight": BadValue(place=("v2Weight",), value=ABSENT, expected=("mcsps:v2Weight: missing",)),
    "a missing key of a cluster": BadValue(
        place=("clusters", 1, "network"), value=ABSENT, expected=("mcsps:clusters[1].network: missing",)
    ),
    "a missing key of an access": BadValue(
        place=(*ACCESS, "path"), value=ABSENT, expected=("mcsps:clusters[0].access.path: missing",)
    ),
    "a missing kind of access": BadValue(
        place=(*ACCESS, "kind"), value=ABSENT, expected=(f"mcsps:clusters[0].access.kind: missing; {A_KIND}",)
    ),
    "an unknown kind of access": BadValue(
        place=(*ACCESS, "kind"),
        value="ssh",
        expected=(f"mcsps:clusters[0].access.kind: got 'ssh'; {A_KIND}",),
    ),
    "a text for an object": BadValue(
        place=("mesh",), value="east", expected=("mcsps:mesh: got 'east'; allowed: a mapping",)
    ),
    "nothing for an object": BadValue(
        place=("mesh",), value=None, expected=("mcsps:mesh: got null; allowed: a mapping",)
    ),
    "a text for an access": BadValue(
        place=ACCESS, value="east", expected=("mcsps:clusters[0].access: got 'east'; allowed: a mapping",)
    ),
    "a number for a text": BadValue(
        place=("mesh", "id"), value=7, expected=("mcsps:mesh.id: got 7; allowed: a string. Quote it if",)
    ),
    "nothing for a text": BadValue(
        place=("mesh", "id"), value=None, expected=("mcsps:mesh.id: got null; allowed: a string",)
    ),
    "a text for a truth": BadValue(
        place=("links", "readSecrets"),
        value="maybe",
        expected=("mcsps:links.readSecrets: got 'maybe'; allowed: true or false",),
    ),
    "an object for a truth": BadValue(
        place=("links", "readSecrets"),
        value={},
        expected=("mcsps:links.readSecrets: got a mapping; allowed: true or false",),
    ),
    "an object for a list": BadValue(
        place=("clusters",), value={}, expected=("mcsps:clusters: got a mapping; allowed: a list",)
    ),
    "an object for a path": BadValue(
        place=(*ACCESS, "path"),
        value={"kind": "Config", "users": [{"token": MARK}]},
        expected=("mcsps:clusters[0].access.path: got a mapping; allowed: the path of a file",),
    ),
    "no cluster": BadValue(
        place=("clusters",), value=[], expected=("mcsps:clusters: got a list of 0; allowed: a list of 1 or more",)
    ),
    "two clusters of one name": BadValue(
        place=NAME,
        value="east",
        expected=("mcsps:clusters[1].name: got 'east', which clusters[0] has too; allowed: a unique name",),
    ),
    "two clusters of one network": BadValue(
        place=NETWORK,
        value="network-east",
        expected=(
            "mcsps:clusters[1].network: got 'network-east', which clusters[0] has too; allowed: a unique network",
        ),
    ),
    "two clusters of one kubeconfig": BadValue(
        place=("clusters", 1, "access"),
        value={"kind": "kubeconfig", "path": "/var/lib/mcsps-lab/east/kubeconfig"},
        expected=(
            "mcsps:clusters[1].access.path: got '/var/lib/mcsps-lab/east/kubeconfig', which clusters[0] has too",
            "allowed: a unique path",
        ),
    ),
    "a name in capitals": BadValue(place=NAME, value="West", expected=("mcsps:clusters[1].name: got 'West'; ", LABEL)),
    "a name with a dot": BadValue(place=NAME, value="we.st", expected=("mcsps:clusters[1].name: got 'we.st'; ", LABEL)),
    "a name that ends in a hyphen": BadValue(
        place=NAME, value="west-", expected=("mcsps:clusters[1].name: got 'west-'; ", LABEL)
    ),
    "a name that ends in a line break": BadValue(
        place=NAME, value="west\n", expected=("mcsps:clusters[1].name: ", LABEL)
    ),
    "an empty name": BadValue(place=NAME, value="", expected=("mcsps:clusters[1].name: got ''; ", LABEL)),
    "a name too long for a CA's": BadValue(
        place=NAME,
        value="w" * 49,
        expected=("mcsps:clusters[1].name: got 'wwww", "allowed: a DNS label of at most 48 characters, since"),
    ),
    "a name that would make two links alike": BadValue(
        place=NAME,
        value="east-to-west",
        expected=("mcsps:clusters[1].name: got 'east-to-west'; allowed: a name without the word 'to'",),
    ),
    "a network too long for a label": BadValue(
        place=NETWORK, value="n" * 64, expected=("mcsps:clusters[1].network: got 'nnnn", "at most 63 characters")
    ),
    "a mesh id that is no label": BadValue(
        place=("mesh", "id"), value="my mesh", expected=("mcsps:mesh.id: got 'my mesh'; ", LABEL)
    ),
    "a weight of -1": BadValue(place=("v2Weight",), value=-1, expected=(f"mcsps:v2Weight: got -1; {PERCENT}",)),
    "a weight of 101": BadValue(place=("v2Weight",), value=101, expected=(f"mcsps:v2Weight: got 101; {PERCENT}",)),
    "a weight of 10.5": BadValue(place=("v2Weight",), value=10.5, expected=(f"mcsps:v2Weight: got 10.5; {PERCENT}",)),
    "a weight of ten": BadValue(place=("v2Weight",), value="ten", expected=(f"mcsps:v2Weight: got 'ten'; {PERCENT}",)),
    "a weight of true": BadValue(place=("v2Weight",), value=True, expected=(f"mcsps:v2Weight: got true; {PERCENT}",)),
    "a weight in a list": BadValue(
        place=("v2Weight",), value=[10], expected=(f"mcsps:v2Weight: got a list of 1; {PERCENT}",)
    ),
    "a weight of nothing": BadValue(
        place=("v2Weight",), value=None, expected=(f"mcsps:v2Weight: got null; {PERCENT}",)
    ),
    "a version that does not exist": BadValue(
        place=VERSIONS, value=["v3"], expected=("mcsps:clusters[1].versions[0]: got 'v3'; ", "'v1' or 'v2'")
    ),
    "a version twice": BadValue(
        place=VERSIONS,
        value=["v2", "v2"],
        expected=("mcsps:clusters[1].versions: got v2, v2; allowed: each version once",),
    ),
    "no cluster runs v2": BadValue(
        place=VERSIONS,
        value=["v1"],
        expected=("mcsps:v2Weight: got 10, but no cluster runs v2; allowed: 0. Add v2 to", "set the weight to 0"),
    ),
    "no cluster runs v1": BadValue(
        place=("clusters", 0, "versions"),
        value=[],
        expected=("mcsps:v2Weight: got 10, but no cluster runs v1; allowed: 100. Add v1 to", "set the weight to 100"),
    ),
    **{
        what: BadValue(place=("audiences",), value=audiences, expected=expected)
        for what, (audiences, expected) in {
            "an audience without a name": ([{"version": "v2", "header": TEAM}], ("mcsps:audiences[0].name: missing",)),
            "an audience of an unknown version": (
                [{"name": "team", "version": "v3", "header": TEAM}],
                ("mcsps:audiences[0].version: got 'v3'; allowed: 'v1' or 'v2'",),
            ),
            "an audience of everybody": (
                [{"name": "all", "version": "v2"}],
                ("mcsps:audiences[0]: got neither header nor region; allowed: at least one of them", "use v2Weight"),
            ),
            "two audiences of one name": (
                [{"name": "team", "version": "v2", "header": {"name": "x-team", "exact": each}} for each in "ab"],
                ("mcsps:audiences[1].name: got 'team', which audiences[0] has too; allowed: a unique name",),
            ),
            "an audience of a region where no cluster has one": (
                [{"name": "europe", "version": "v2", "region": "eu"}],
                ("mcsps:audiences[0].region: got 'eu', but no cluster has a locality; allowed: a region of",),
            ),
            "an audience hidden by the same header": (
                [
                    {"name": "team", "version": "v2", "header": TEAM},
                    {"name": "again", "version": "v1", "header": TEAM},
                ],
                ("mcsps:audiences[1]: 'again' never matches, since audiences[0] before it always match; allowed: the",),
            ),
        }.items()
    },
    **{
        f"a header {what}": BadValue(
            place=("audiences",),
            value=[{"name": "team", "version": "v2", "header": {"name": "x-team", **header}}],
            expected=(f"mcsps:audiences[0].header{expected[0]}", *expected[1:]),
        )
        for what, (header, expected) in {
            "in capitals": (
                {"name": "X-Team", "exact": "a"},
                (".name: got 'X-Team'; allowed: a header name of at most 256 characters in lower case",),
            ),
            "that is none": (
                {"name": ":path", "exact": "a"},
                (
                    ".name: got ':path'; allowed: a header name of at most 256 characters in lower case",
                    "but not a pseudo-header such as :path",
                ),
            ),
            "that is a token's claim": (
                {"name": "@request.auth.claims.team", "exact": "a"},
                (".name: got '@request.auth.claims.team'; allowed: ", "or a JWT claim"),
            ),
            "that may be anything": ({}, (": got none of exact, prefix and regex; allowed: exactly one of them",)),
            "that must be two things": (
                {"exact": "a", "prefix": "a"},
                (": got exact and prefix of exact, prefix and regex; allowed: exactly one of them",),
            ),
            "that must be nothing": ({"exact": ""}, (".exact: got ''; allowed: a string of ASCII of 1 to 8192",)),
            "that no server takes": (
                {"exact": "a" * 8193},
                (".exact: got a value of 8193 characters; allowed: a string of ASCII of 1 to 8192 characters",),
            ),
            "that starts with more than a server takes": (
                {"prefix": "a" * 8193},
                (".prefix: got a value of 8193 characters; allowed: a string of ASCII of 1 to 8192 characters",),
            ),
            "of a long name": (
                {"name": "x" * 257, "exact": "a"},
                (".name: got a value of 257 characters; allowed: a",),
            ),
            "of a regex that Envoy alone knows": (
                {"regex": r"a\\\C+"},
                (".regex: got ", "; allowed: a regular expression without \\C, which istiod refuses. Use a dot"),
            ),
            "that must end in a blank": (
                {"exact": "a "},
                (".exact: got 'a '; allowed: ", "without blanks at its ends"),
            ),
            "that must begin with a blank": (
                {"prefix": " a"},
                (".prefix: got ' a'; allowed: ", "does not start with a blank"),
            ),
            "that must not be ASCII": ({"exact": "Ü"}, (".exact: got 'Ü'; allowed: a string of ASCII",)),
            "of no regex": (
                {"regex": ""},
                (".regex: got ''; allowed: a regular expression of 1 to 1024 ASCII",),
            ),
            "of a long regex": (
                {"regex": "a" * 1025},
                (".regex: got a value of 1025 characters; allowed: a regular expression of 1 to 1024 ASCII",),
            ),
            "of a broken regex": (
                {"regex": "te(st"},
                (
                    ".regex: got 'te(st'; allowed: a regular expression of RE2",
                    "; missing ): te(st",
                ),
            ),
            "of a regex that Python alone knows": (
                {"regex": "(?=te)st"},
                (
                    ".regex: got '(?=te)st'; allowed: a regular expression of RE2",
                    "without look-around and backreferences; invalid",
                ),
            ),
            "of a regex too big for Envoy": (
                {"regex": r"\pL{30}"},
                (".regex: got ", "allowed: a regular expression of at most 32768 instructions; it compiles to "),
            ),
        }.items()
    },
    **{
        f"failover {what}": BadValue(place=("failover",), value=failover, expected=(f"mcsps:failover{expected}",))
        for what, (failover, expected) in {
            "without a region": (
                {"enabled": True},
                ".enabled: got true, but no cluster has a locality; allowed: true with at least 2 regions. Set",
            ),
            "to nowhere": (
                {"order": [{"from": "eu", "to": "us"}]},
                ".order[0].from: got 'eu', but no cluster has a locality; allowed: a region of clusters[].locality",
            ),
            "from nowhere": ({"order": [{"to": "us"}]}, ".order[0].from: missing"),
            "after no error": (
                {"consecutiveGatewayErrors": 0},
                ".consecutiveGatewayErrors: got 0; allowed: a whole number from 1 to 100",
            ),
            "of no endpoint": (
                {"maxEjectionPercent": 0},
                ".maxEjectionPercent: got 0; allowed: a whole number from 1 to",
            ),
            "with too many tries": (
                {"retryAttempts": 11},
                ".retryAttempts: got 11; allowed: a whole number from 0 to",
            ),
            "without time": ({"connectTimeoutSeconds": 0}, ".connectTimeoutSeconds: got 0; allowed: a whole number"),
        }.items()
    },
    "a locality of one cluster alone": BadValue(
        place=("clusters", 1, "locality"),
        value={"region": "us"},
        expected=("mcsps:clusters[0].locality: missing, and other clusters have one; allowed: a locality for all",),
    ),
    "a locality without a region": BadValue(
        place=("clusters", 1, "locality"),
        value={"zone": "us-1"},
        expected=("mcsps:clusters[1].locality.region: missing",),
    ),
    "a region with a dot": BadValue(
        place=("clusters", 1, "locality"),
        value={"region": "us.1"},
        expected=("mcsps:clusters[1].locality.region: got 'us.1'; allowed: the name of a place, as in a label",),
    ),
    "a locality too long for a label": BadValue(
        place=("clusters", 1, "locality"),
        value={"region": "u" * 32, "zone": "z" * 31},
        expected=("mcsps:clusters[1].locality: region and zone have 64 characters with the dot", "allowed: at most 63"),
    ),
    "charts from nowhere": BadValue(
        place=("istio", "charts"),
        value="charts",
        expected=("mcsps:istio.charts: got 'charts'; allowed: an https:// repository or oci:// registry",),
    ),
    "charts behind a password": BadValue(
        place=("istio", "charts"),
        value=f"https://user:{MARK}@charts.example",
        expected=(
            "mcsps:istio.charts: got a value of ",
            "; allowed: an https:// repository or oci:// registry without",
        ),
    ),
    "a version that is none": BadValue(
        place=("istio", "version"),
        value="newest",
        expected=("mcsps:istio.version: got 'newest'; allowed: one version, such as 1.31.1",),
    ),
    "a version that YAML reads as a number": BadValue(
        place=("istio", "tag"), value=1.31, expected=("mcsps:istio.tag: got 1.31; allowed: a string. Quote it",)
    ),
    "a version that the charts are not for": BadValue(
        place=("istio", "version"),
        value="1.29.9",
        expected=(
            "mcsps:istio.version: got '1.29.9'; allowed with installer helm: 1.30 or newer. Set version and tag",
        ),
    ),
    "a tag of another time than the charts": BadValue(
        place=("istio", "tag"),
        value="1.23.6-distroless",
        expected=("mcsps:istio.tag: got '1.23.6-distroless'; allowed with installer helm: 1.30 or newer",),
    ),
    "charts of another version than the images": BadValue(
        place=("istio", "version"),
        value="1.30.2",
        expected=(
            "mcsps:istio.tag: got '1.31",
            "', and version is '1.30.2'; allowed: a tag of the same minor version. Set both to one version",
        ),
    ),
    "an installer that does not exist": BadValue(
        place=("istio", "installer"),
        value="sail",
        expected=("mcsps:istio.installer: got 'sail'; allowed: 'helm' or 'operator'",),
    ),
    "an operator for the default version": BadValue(
        place=("istio",),
        value={"installer": "operator"},
        expected=(
            "mcsps:istio.version: got '1.31.1'; allowed with installer operator: 1.12 to 1.23",
            "since Istio 1.24 has no in-cluster operator. Set version and tag to one of these, or set installer",
        ),
    ),
    "an operator for the first version without one": BadValue(
        place=("istio",),
        value={**BY_OPERATOR, "version": "1.24.0"},
        expected=("mcsps:istio.version: got '1.24.0'; allowed with installer operator: 1.12 to 1.23",),
    ),
    "an operator for a version before the seed's": BadValue(
        place=("istio",),
        value={**BY_OPERATOR, "version": "1.11.8"},
        expected=("mcsps:istio.version: got '1.11.8'; allowed with installer operator: 1.12 to 1.23",),
    ),
    "an operator with the default tag": BadValue(
        place=("istio",),
        value={"installer": "operator", "version": "1.23.6"},
        expected=(
            "mcsps:istio.tag: got '1.31.1'; allowed with installer operator: 1.12 to 1.23",
            "Set version and tag",
        ),
    ),
    "an operator with charts": BadValue(
        place=("istio",),
        value={**BY_OPERATOR, "charts": "/charts"},
        expected=(
            "mcsps:istio.charts: set with installer operator; allowed: only with installer helm",
            "Remove the key",
        ),
    ),
    "an operator with a chart's values": BadValue(
        place=("istio",),
        value={**BY_OPERATOR, "values": {"base": {}, "gateway": {"labels": {}}}},
        expected=(
            "mcsps:istio.values.gateway: set with installer operator; allowed: only with installer helm",
            "Remove the key",
        ),
    ),
    **{
        f"the hub {hub[:30]!r}": BadValue(
            place=("istio", "hub"), value=hub, expected=(f"mcsps:istio.hub: got {shown}; {HUB}",)
        )
        for hub, shown in {
            "": "''",
            "https://docker.io/istio": "'https://docker.io/istio'",
            "docker.io/Istio": "'docker.io/Istio'",
            "docker.io//istio": "'docker.io//istio'",
            "docker.io/ istio": "'docker.io/ istio'",
            " docker.io/istio": "' docker.io/istio'",
            "docker.io/istio:1.31.1": "'docker.io/istio:1.31.1'",
            f"user:{MARK}@docker.io/istio": "a value of 42 characters",
            "docker.io/-istio": "'docker.io/-istio'",
            "registry:port/istio": "'registry:port/istio'",
            f"docker.io/{'a' * 238}": "a value of 248 characters",
        }.items()
    },
    **{
        f"the tag {tag[:30]!r}": BadValue(
            place=("istio", "tag"),
            value=tag,
            expected=(f"mcsps:istio.tag: got {shown}; allowed: a tag of at most 128",),
        )
        for tag, shown in {
            "": "''",
            " ": "' '",
            "1.31/1": "'1.31/1'",
            "1.31:1": "'1.31:1'",
            "-1.31": "'-1.31'",
            "1.31.1 ": "'1.31.1 '",
            "\N{ARABIC-INDIC DIGIT ONE}": "'\N{ARABIC-INDIC DIGIT ONE}'",
            "t" * 129: "a value of 129 characters",
        }.items()
    },
    **{
        f"the image {image[:30]!r} in {'.'.join(place)}": BadValue(
            place=place,
            value=image,
            expected=(f"mcsps:{'.'.join(place)}: got ", f"{shown}; allowed: an image such as "),
        )
        for image, shown in {
            "": "''",
            "https://docker.io/x:1": "'https://docker.io/x:1'",
            "docker.io/x y:1": "'docker.io/x y:1'",
            "docker.io/x:": "'docker.io/x:'",
            "docker.io/X:1": "'docker.io/X:1'",
            "docker.io/x:1\n": "a value of 14 characters",
            "docker.io/x@sha256:abc": "'docker.io/x@sha256:abc'",
            "x" * 521: "a value of 521 characters",
        }.items()
        for place in (("helloworld", "images", "v1"), ("helloworld", "images", "v2"), ("verify", "clientImage"))
    },
    "an image with a name too long": BadValue(
        place=("verify", "clientImage"),
        value="x" * 256,
        expected=(
            "mcsps:verify.clientImage: got a value of 256 characters; allowed: an image whose name has at most 255",
        ),
    ),
    "a trust domain that is none": BadValue(
        place=("mesh", "trustDomain"),
        value="not a domain!!",
        expected=("mcsps:mesh.trustDomain: got 'not a domain!!'; allowed: a DNS name, such as cluster.local",),
    ),
    "a trust domain with a label that is too long": BadValue(
        place=("mesh", "trustDomain"),
        value=f"{'a' * 64}.local",
        expected=("mcsps:mesh.trustDomain: got 'aaaa", "at most 63 characters between two dots"),
    ),
    "a number for a chart's block": BadValue(
        place=("istio", "values", "istiod", "global"),
        value=3,
        expected=(
            "mcsps:istio.values.istiod.global: not a mapping, so it would remove the program's own",
            "allowed: a mapping",
        ),
    ),
    "nothing for a block within a chart's block": BadValue(
        place=("istio", "values", "istiod", "global", "proxy"),
        value=None,
        expected=(
            "mcsps:istio.values.istiod.global.proxy: not a mapping, so it would remove the program's own values",
        ),
    ),
    "a list for a gateway's block": BadValue(
        place=("istio", "values", "gateway", "resources"),
        value=[],
        expected=("mcsps:istio.values.gateway.resources: not a mapping, so it would remove the program's own values",),
    ),
    "a Service of a chart's": BadValue(
        place=("istio", "values", "gateway", "service"),
        value={"type": "NodePort"},
        expected=(
            "mcsps:istio.values.gateway.service: got a mapping, but the program creates the Service; allowed: the",
        ),
    ),
    "one network for all clusters": BadValue(
        place=("istio", "values", "istiod", "global"),
        value={"network": "n"},
        expected=("mcsps:istio.values.istiod.global.network: got 'n', but clusters[].network sets it; allowed: ",),
    ),
    "a time too short": BadValue(
        place=("istio", "timeoutSeconds"),
        value=9,
        expected=("mcsps:istio.timeoutSeconds: got 9; allowed: a whole number from 10 to 3600",),
    ),
    "no replica": BadValue(
        place=("helloworld", "replicas"),
        value=0,
        expected=("mcsps:helloworld.replicas: got 0; allowed: a whole number from 1 to 100",),
    ),
    "a request that is no quantity": BadValue(
        place=("helloworld", "resources"),
        value={"requests": {"cpu": "lots"}},
        expected=(f"mcsps:helloworld.resources.requests.cpu: got 'lots'; {QUANTITY}",),
    ),
    "memory in milli-bytes": BadValue(
        place=("helloworld", "resources"),
        value={"limits": {"memory": "128m"}},
        expected=(
            "mcsps:helloworld.resources.limits.memory: got '128m'; allowed: bytes, at least 4Mi. Megabytes",
            "as in 128Mi",
        ),
    ),
    "memory of a few bytes": BadValue(
        place=("helloworld", "resources"),
        value={"requests": {"memory": "64"}},
        expected=("mcsps:helloworld.resources.requests.memory: got '64'; allowed: bytes, at least 4Mi", "as in 64Mi"),
    ),
    "a quota in milli-bytes": BadValue(
        place=("rancher",),
        value=with_project(projectQuota={"limitsMemory": "12000m"}),
        expected=("mcsps:rancher.project.projectQuota.limitsMemory: got '12000m'; allowed: bytes", "as in 12000Mi"),
    ),
    "the root folder for charts": BadValue(
        place=("istio", "charts"), value="/", expected=("mcsps:istio.charts: got '/'; allowed: an https:// repository",)
    ),
    "a misspelt resource": BadValue(
        place=("helloworld", "resources"),
        value={"requests": {"memroy": "64Mi"}},
        expected=(
            "mcsps:helloworld.resources.requests: unknown key 'memroy'; allowed: cpu, memory. Did you mean 'memory'?",
        ),
    ),
    "a request above its limit": BadValue(
        place=("helloworld", "resources"),
        value={"requests": {"cpu": "1"}},
        expected=("mcsps:helloworld.resources.requests.cpu: got 1; allowed: at most limits.cpu, which is 200m",),
    ),
    "memory above its limit": BadValue(
        place=("helloworld", "resources"),
        value={"limits": {"memory": "60M"}},
        expected=(
            "mcsps:helloworld.resources.requests.memory: got 64Mi; allowed: at most limits.memory, which is 60M",
        ),
    ),
    "a quota that is no quantity": BadValue(
        place=("rancher",),
        value=with_project(projectQuota={"limitsCpu": "many"}),
        expected=(f"mcsps:rancher.project.projectQuota.limitsCpu: got 'many'; {QUANTITY}",),
    ),
    "a namespace's quota above the project's": BadValue(
        place=("rancher",),
        value=with_project(projectQuota={"limitsMemory": "11Gi"}, namespaceQuota={"limitsMemory": "12Gi"}),
        expected=(
            "mcsps:rancher.project.namespaceQuota.limitsMemory: got 12Gi; ",
            "allowed: at most projectQuota.limitsMemory, which is 11Gi",
        ),
    ),
    "a container's default request above its limit": BadValue(
        place=("rancher",),
        value=with_project(containerLimit={"requestsCpu": "300m"}),
        expected=(
            "mcsps:rancher.project.containerLimit.requestsCpu: got 300m; allowed: at most limitsCpu, which is 200m",
        ),
    ),
    "two projects of one name": BadValue(
        place=("rancher",),
        value={"url": "https://r.example", "project": {"name": "sample"}},
        expected=("mcsps:rancher.appProject.name: got 'sample', which project.name is too; allowed: another name",),
    ),
    "a project without a name": BadValue(
        place=("rancher",),
        value=with_project(name=""),
        expected=("mcsps:rancher.project.name: got ''; allowed: a string that is not empty",),
    ),
    "no Rancher, said with false": BadValue(
        place=("rancher",), value=False, expected=("mcsps:rancher: got false; allowed: a mapping",)
    ),
    "no Rancher, said with nothing": BadValue(
        place=("rancher",), value="", expected=("mcsps:rancher: got ''; allowed: a mapping",)
    ),
    "a CA that is junk": BadValue(
        place=("rancher",),
        value={"url": "https://r.example", "caCerts": f"junk {MARK}"},
        expected=(f"caCerts: {NO_CA}",),
    ),
    "a private key instead of a CA": BadValue(
        place=("rancher",),
        value={
            "url": "https://r.example",
            "caCerts": f"-----BEGIN PRIVATE KEY-----\n{MARK}\n-----END PRIVATE KEY-----",
        },
        expected=(f"mcsps:rancher.caCerts: {NO_CA}",),
    ),
    "a peer's CA that is junk": BadValue(
        place=("clusters", 0, "peerCaCerts"),
        value=f"junk {MARK}",
        expected=(f"mcsps:clusters[0].peerCaCerts: {NO_CA}",),
    ),
    "a peer's CA without its server": BadValue(
        place=("clusters", 0, "peerCaCerts"),
        value=pems.make_root(pems.make_key()),
        expected=(
            "mcsps:clusters[0].peerCaCerts: set without peerServer; allowed: only with it. Set peerServer, or remove",
        ),
    ),
    "a Rancher behind a password": BadValue(
        place=("rancher",),
        value={"url": f"https://user:{MARK}@r.example"},
        expected=("mcsps:rancher.url: got a value of ", f"; {HTTPS} with a host", "without credentials"),
    ),
    "a Rancher's token instead of its address": BadValue(
        place=("rancher",),
        value={"url": f"token-abc12:{MARK}"},
        expected=(
            "mcsps:rancher.url: got a value of ",
            f"; {HTTPS} with a host",
        ),
    ),
    "a node selector that is none": BadValue(
        place=("clusters", 0, "namespaceNodeSelector"),
        value="???",
        expected=("mcsps:clusters[0].namespaceNodeSelector: got '???'; allowed: labels such as role=ingress",),
    ),
    "renewal before the start": BadValue(
        place=("trust",),
        value={"intermediateValidityHours": 24, "intermediateEarlyRenewalHours": 24},
        expected=("mcsps:trust.intermediateEarlyRenewalHours: got 24; allowed: less than intermediateValidityHours",),
    ),
    "an intermediate that outlives the root": BadValue(
        place=("trust", "rootValidityHours"),
        value=8759,
        expected=("mcsps:trust.intermediateValidityHours: got 8760; allowed: at most rootValidityHours", "8759"),
    ),
    **{
        f"a root that would end before it begins, after {shown} hours": BadValue(
            place=("trust", "rootValidityHours"),
            value=hours,
            expected=(f"mcsps:trust.rootValidityHours: got {shown}; allowed: a whole number from 1 to 2562047",),
        )
        for hours, shown in ((2562048, "2562048"), (10**400, "a value of 401 characters"))
    },
    "a generation of 0": BadValue(
        place=("links", "tokenGeneration"),
        value=0,
        expected=("mcsps:links.tokenGeneration: got 0; allowed: a whole number from 1 to 9007199254740991",),
    ),
    "a peer's server without TLS": BadValue(
        place=("clusters", 0, "peerServer"),
        value="http://east",
        expected=("mcsps:clusters[0].peerServer: got 'http://east'; allowed: an https:// URL",),
    ),
    "a peer's server without a host": BadValue(
        place=("clusters", 0, "peerServer"),
        value="https:///",
        expected=("mcsps:clusters[0].peerServer: got 'https:///'; allowed: an https:// URL with a host",),
    ),
    "a peer's server at no port": BadValue(
        place=("clusters", 0, "peerServer"),
        value="https://h:notaport",
        expected=(f"mcsps:clusters[0].peerServer: got 'https://h:notaport'; {HTTPS} with a host, an optional port up",),
    ),
    "a peer's server at a port too high": BadValue(
        place=("clusters", 0, "peerServer"),
        value="https://h:65536",
        expected=(f"mcsps:clusters[0].peerServer: got 'https://h:65536'; {HTTPS}", "an optional port up to 65535"),
    ),
    "a peer's server that is no address of IPv6": BadValue(
        place=("clusters", 0, "peerServer"),
        value="https://[1:2]:6443",
        expected=(f"mcsps:clusters[0].peerServer: got 'https://[1:2]:6443'; {HTTPS}",),
    ),
    "a peer's server behind a password": BadValue(
        place=("clusters", 0, "peerServer"),
        value=f"https://user:{MARK}@east",
        expected=(
            "mcsps:clusters[0].peerServer: got a value of ",
            f"; {HTTPS} with a host",
        ),
    ),
    "a peer's server with a token": BadValue(
        place=("clusters", 0, "peerServer"),
        value=f"https://east/?token={MARK}",
        expected=(
            "mcsps:clusters[0].peerServer: got a value of ",
            f"; {HTTPS} with a host",
        ),
    ),
    "an unknown credential": BadValue(
        place=("clusters", 0, "linkCredential"),
        value="password",
        expected=("mcsps:clusters[0].linkCredential: got 'password'; ", "'serviceAccount' or 'rancherToken'"),
    ),
    "a Rancher token without Rancher": BadValue(
        place=("clusters", 0, "linkCredential"),
        value="rancherToken",
        expected=(
            "mcsps:clusters[0].linkCredential: got 'rancherToken'; allowed with access kubeconfig: serviceAccount",
        ),
    ),
    "access by a Rancher that is not named": BadValue(
        place=ACCESS,
        value={"kind": "rancher", "clusterId": "c-f7r9g"},
        expected=("mcsps:rancher: missing, and clusters[0] has access rancher. Set mcsps:rancher.url",),
    ),
    "a cluster id that is none": BadValue(
        place=ACCESS,
        value={"kind": "rancher", "clusterId": "../x"},
        expected=("mcsps:clusters[0].access.clusterId: got '../x'; allowed: Rancher's id, such as c-f7r9g or local",),
    ),
    "a cluster that is named twice": BadValue(
        place=ACCESS,
        value={"kind": "rancher", "clusterId": "c-f7r9g", "clusterName": "east"},
        expected=("mcsps:clusters[0].access: got both of clusterId and clusterName; allowed: exactly one of them",),
    ),
    "a cluster that is not named": BadValue(
        place=ACCESS,
        value={"kind": "rancher"},
        expected=("mcsps:clusters[0].access: got neither of clusterId and clusterName; allowed: exactly one of them",),
    ),
    "a file of CAs that is not there": BadValue(
        place=("rancher",),
        value={"url": "https://r.example", "caCerts": "/no/such/ca.pem"},
        expected=(
            "mcsps:rancher.caCerts: got '/no/such/ca.pem'; allowed: the path of a readable",
            ": No such file or directory",
        ),
    ),
    "an application's project that is too small for its namespace": BadValue(
        place=("rancher",),
        value={"url": "https://r.example", "appProject": {"projectQuota": {"limitsCpu": "11"}}},
        expected=("mcsps:rancher.appProject.namespaceQuota.limitsCpu: got 12000m; allowed: at most projectQuota",),
    ),
    "a token that lives for ever": BadValue(
        place=("rancher",),
        value={"url": "https://r.example", "tokenTtlHours": 0},
        expected=("mcsps:rancher.tokenTtlHours: got 0; allowed: a whole number from 2 to 8760",),
    ),
    "a token that would be renewed before it is made": BadValue(
        place=("rancher",),
        value={"url": "https://r.example", "tokenTtlHours": 240},
        expected=("mcsps:rancher.tokenEarlyRenewalHours: got 240; allowed: less than tokenTtlHours, which is 240",),
    ),
    "a kubeconfig instead of its path": BadValue(
        place=(*ACCESS, "path"),
        value=kubeconfig("east"),
        expected=("mcsps:clusters[0].access.path: allowed: the path of a file, and not its content",),
    ),
    "a kubeconfig in one line instead of its path": BadValue(
        place=(*ACCESS, "path"),
        value=f"{{apiVersion: v1, kind: Config, users: [{{user: {{token: {MARK}}}}}]}}",
        expected=("mcsps:clusters[0].access.path: allowed: the path of a file, and not its content",),
    ),
    "no path": BadValue(
        place=(*ACCESS, "path"), value="", expected=("mcsps:clusters[0].access.path: allowed: the path of a file",)
    ),
    **{
        f"{what} instead of the root": BadValue(
            place=("trust", "rootCertificate"),
            value=value,
            expected=(
                "mcsps:trust.rootCertificate: is not exactly one PEM certificate. Set the text and not the path",
            ),
        )
        for what, value in {
            "a private key": f"-----BEGIN KEY-----\n{MARK}\n",
            "a private key in one line": f"-----BEGIN KEY-----\\n{MARK}\\n",
            "base64": base64.b64encode(MARK.encode()).decode(),
            "a path": f"{MARK}.pem",
            "a number": 7,
        }.items()
    },
}


@dataclass(frozen=True, kw_only=True)
class BadStack:
    """Config whose fault shows only together with files, secrets or the time."""

    make: Callable[[Stack, Path], Stack]
    """Returns the invalid stack, from a valid stack of two clusters and an empty folder."""
    expected: tuple[str, ...]


def bad_kubeconfig(write: Callable[[Path], object], *expected: str) -> BadStack:
    """Return a stack in which `write` writes (or omits) the first cluster's kubeconfig."""

    def make(stack: Stack, folder: Path) -> Stack:
        path = folder / "bad"
        write(path)
        return replace(stack, values=put(stack.values, (*ACCESS, "path"), str(path)))

    return BadStack(make=make, expected=("mcsps:clusters[0].access.path: ", "/bad'", *expected))


def bad_root(make_root: Callable[[], tuple[str | None, str | None]], *expected: str) -> BadStack:
    """Return a stack with a root's certificate and key, either of which may be missing."""

    def make(stack: Stack, _: Path) -> Stack:
        certificate, key = make_root()
        values = put(stack.values, ("trust", "rootCertificate"), certificate) if certificate else stack.values
        return replace(stack, values=values, secrets={"rootPrivateKey": key} if key else {})

    return BadStack(make=make, expected=expected)


def not_a_ca() -> tuple[str, str]:
    """Return a server's certificate and its key."""
    key = pems.make_key()
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    return pems.make_root(key, constraints=constraints), pems.key_pem(key)


def weak() -> tuple[str, str]:
    """Return a root with a short RSA key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - weak on purpose
    return pems.make_root(key), pems.key_pem(key)


def expired() -> tuple[str, str]:
    """Return a root that has expired."""
    key = pems.make_key()
    return pems.make_root(key, not_before=TODAY - 2 * pems.YEAR, not_after=TODAY), pems.key_pem(key)


def short_lived() -> tuple[str, str]:
    """Return a root that is valid for ten days in total."""
    key = pems.make_key()
    first = pems.NOW - timedelta(days=1)
    return pems.make_root(key, not_before=first, not_after=first + timedelta(days=10)), pems.key_pem(key)


def combined(*, key_first: bool) -> tuple[str, str]:
    """Return a root whose key is in the same text, as some tools write it."""
    key = pems.make_key()
    parts = [pems.make_root(key), pems.key_pem(key)]
    return "".join(reversed(parts) if key_first else parts), pems.key_pem(key)


def bundle() -> tuple[str, str]:
    """Return two roots in one text, and the key of the first."""
    key = pems.make_key()
    return pems.make_root(key) + pems.make_root(pems.make_key()), pems.key_pem(key)


def strangers() -> tuple[str, str]:
    """Return a root, and the key of another."""
    return pems.make_root(pems.make_key()), pems.key_pem(pems.make_key())


def with_rancher(stack: Stack, **secrets: str) -> Stack:
    """Return the stack with a Rancher."""
    return replace(stack.changed(rancher={"url": "https://r.example"}), secrets=secrets)


def direct_server(stack: Stack) -> Stack:
    """Return the stack with access through Rancher to the first cluster, and another server for its peers."""
    values = put(stack.values, ACCESS, {"kind": "rancher", "clusterId": "c-f7r9g"})
    values = put(values, ("clusters", 0, "peerServer"), "https://direct.example:6443")
    return with_rancher(replace(stack, values=values), rancherToken=fake_secret("token"))


def in_plain_text(stack: Stack) -> Stack:
    """Return the stack with a Rancher whose token is in plain text."""
    with_token = with_rancher(stack)
    return with_token.changed(rancherToken=fake_secret("plain"))


def with_order(*steps: tuple[str, str]) -> Callable[[Stack, Path], Stack]:
    """Return a function that gives a stack two regions and an order of failover."""
    order = [{"from": region, "to": following} for region, following in steps]
    return lambda stack, _: in_regions(stack, "eu", "us").changed(failover={"order": order})


def with_audiences(*audiences: Mapping[str, object]) -> Callable[[Stack, Path], Stack]:
    """Return a function that gives a stack two regions and audiences."""
    numbered = [{"name": f"a-{number}", "version": "v1", **audience} for number, audience in enumerate(audiences)]
    return lambda stack, _: in_regions(stack, "eu", "us").changed(audiences=numbered)


def without_v2(stack: Stack, _folder: Path) -> Stack:
    """Return a stack that runs only v1, and has an audience of v2."""
    values = put(stack.values, VERSIONS, ["v1"])
    audience = {"name": "team", "version": "v2", "header": TEAM}
    return replace(stack, values=values).changed(v2Weight=0, audiences=[audience])


def away_with_audience_of_v2(stack: Stack, _folder: Path) -> Stack:
    """Return a stack whose only cluster with v2 is away, and has an audience of v2."""
    values = put(put(put(stack.values, ("clusters", 0, "versions"), ["v1"]), VERSIONS, ["v2"]), AWAY, value=True)
    return replace(stack, values=values).changed(audiences=[{"name": "team", "version": "v2", "header": TEAM}])


KUBECONFIG_IN_BASE64 = base64.b64encode(kubeconfig("east").encode()).decode()
BAD_STACKS = {
    "an audience of a version that no cluster runs": BadStack(
        make=without_v2,
        expected=(
            "mcsps:audiences[0].version: got 'v2', which no cluster runs; allowed: ",
            "Add v2 to clusters[].versions",
        ),
    ),
    "an audience of a version that only runs in a cluster that is away": BadStack(
        make=away_with_audience_of_v2,
        expected=(
            "mcsps:audiences[0].version: got 'v2', and all clusters that run it are away; allowed: v1. ",
            "remove the audience until they are back",
        ),
    ),
    "an audience of an unknown region": BadStack(
        make=with_audiences({"region": "asia"}),
        expected=(
            "mcsps:audiences[0].region: got 'asia', but the clusters are in eu, us; allowed: a region of clusters[]",
        ),
    ),
    "an audience that two regions leave nothing": BadStack(
        make=with_audiences({"region": "eu"}, {"region": "us"}, {"header": TEAM}),
        expected=(
            "mcsps:audiences[2]: 'a-2' never matches, since audiences[0] and audiences[1] before it always match",
        ),
    ),
    "failover by the operator": BadStack(
        make=lambda stack, _: in_regions(stack, "eu", "us").changed(
            failover={"enabled": True}, istio={"installer": "operator", "version": "1.23.6", "tag": "1.23.6"}
        ),
        expected=("mcsps:failover.enabled: got true; allowed with installer operator: false", "Remove the key"),
    ),
    "failover within one region": BadStack(
        make=lambda stack, _: in_regions(stack, "eu", "eu").changed(failover={"enabled": True}),
        expected=(
            "mcsps:failover.enabled: got true, but the clusters are in eu; allowed: true with at least 2 regions",
        ),
    ),
    "failover to an unknown region": BadStack(
        make=with_order(("eu", "asia")),
        expected=("mcsps:failover.order[0].to: got 'asia', but the clusters are in eu, us; allowed: a region of",),
    ),
    "failover to the same region": BadStack(
        make=with_order(("us", "eu"), ("eu", "eu")),
        expected=("mcsps:failover.order[1].to: got 'eu', which equals from; allowed: another region",),
    ),
    "failover to two regions": BadStack(
        make=with_order(("eu", "us"), ("eu", "us")),
        expected=("mcsps:failover.order[1].from: got 'eu', which order[0] has too; allowed: one entry",),
    ),
    "a kubeconfig that is not there": bad_kubeconfig(lambda _: None, "cannot be read: No such file or directory"),
    "a kubeconfig that is a folder": bad_kubeconfig(Path.mkdir, "cannot be read: Is a directory"),
    "a kubeconfig that is no text": bad_kubeconfig(
        lambda path: path.write_bytes(b"\xff\xfe"), "cannot be read: it is not a text file"
    ),
    "a kubeconfig of an unknown user": BadStack(
        make=lambda stack, _: replace(stack, values=put(stack.values, (*ACCESS, "path"), "~nobody-at-all/config")),
        expected=(
            "mcsps:clusters[0].access.path: got '~nobody-at-all/config', which cannot be read: no user of that name",
        ),
    ),
    "a kubeconfig in base64 instead of its path": BadStack(
        make=lambda stack, _: replace(stack, values=put(stack.values, (*ACCESS, "path"), KUBECONFIG_IN_BASE64)),
        expected=(
            "mcsps:clusters[0].access.path: got a value of",
            "cannot be read: ",
            "Set the path of a readable kubeconfig",
        ),
    ),
    "a kubeconfig that does not parse": bad_kubeconfig(
        lambda path: path.write_text("{" + fake_secret("YAML")),
        "is not valid YAML. Set the path of a kubeconfig that kubectl can use",
    ),
    "a kubeconfig without a current context": bad_kubeconfig(
        lambda path: path.write_text(kubeconfig("east").replace("current-context: east", "")),
        "has no current-context; `kubectl config use-context` sets one",
    ),
    "a root that is no CA": bad_root(not_a_ca, "mcsps:trust.rootCertificate: is not a CA that can sign intermediates"),
    "a root of a weak key": bad_root(
        weak, "mcsps:trust.rootCertificate: has an RSA key of 1024 bits, which istiod cannot use. Provide a root with"
    ),
    "a root that is expired": bad_root(
        expired, "mcsps:trust.rootCertificate: is valid from", "not valid now. Provide one"
    ),
    "a root of a shorter life than its intermediates": bad_root(
        short_lived,
        "mcsps:trust.intermediateValidityHours: got 8760; allowed: at most the validity of rootCertificate in hours",
        "which is 240",
    ),
    "a root with its key behind it": bad_root(partial(combined, key_first=False), NOT_ONE),
    "a root with its key before it": bad_root(partial(combined, key_first=True), NOT_ONE),
    "two roots": bad_root(bundle, NOT_ONE),
    "a root that does not fit its key": bad_root(
        strangers, "mcsps:rootPrivateKey: is not the key of the root", ". Set the key of mcsps:trust.rootCertificate"
    ),
    "a root key that is none": bad_root(
        lambda: (pems.make_root(pems.make_key()), fake_secret("no PEM")),
        "mcsps:rootPrivateKey: is not exactly one unencrypted PEM private key",
    ),
    "a root without its key": bad_root(
        lambda: (pems.make_root(pems.make_key()), None),
        "mcsps:rootPrivateKey: missing, and mcsps:trust.rootCertificate is set; allowed: both or neither. Set it",
    ),
    "a root key without its root": bad_root(
        lambda: (None, pems.key_pem(pems.make_key())),
        "mcsps:trust.rootCertificate: missing, and mcsps:rootPrivateKey is set; allowed: both or neither. Set it",
    ),
    "a peer's server that Rancher's CA does not stand for": BadStack(
        make=lambda stack, _: direct_server(stack),
        expected=(
            "mcsps:clusters[0].peerCaCerts: missing, and required with peerServer and linkCredential rancherToken",
            "Set it, or set linkCredential to serviceAccount",
        ),
    ),
    "an operator's istiod that is to do without Secrets": BadStack(
        make=lambda stack, _: stack.changed(istio=BY_OPERATOR, links={"readSecrets": False}),
        expected=("mcsps:links.readSecrets: got false; allowed with installer operator: true",),
    ),
    "a Rancher without a token": BadStack(
        make=lambda stack, _: with_rancher(stack),
        expected=("mcsps:rancherToken: missing. Run: pulumi config set --secret mcsps:rancherToken",),
    ),
    "a Rancher with an empty token": BadStack(
        make=lambda stack, _: with_rancher(stack, rancherToken=""), expected=("mcsps:rancherToken: missing",)
    ),
    "a token in plain text": BadStack(
        make=lambda stack, _: in_plain_text(stack),
        expected=(
            "mcsps:rancherToken: got plain text; allowed: a secret. Treat the value as leaked",
            "replace it by a new one",
        ),
    ),
    "a secret that is none": BadStack(
        make=lambda stack, _: replace(stack.changed(v2Weight=None), secrets={"v2Weight": fake_secret("not a number")}),
        expected=("mcsps:v2Weight: got a secret; ", "allowed as secrets: rancherToken, rootPrivateKey"),
    ),
}
