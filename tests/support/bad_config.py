"""Config that cannot work: what is wrong with it, and what a person must be told."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography import x509

from tests.support import pems
from tests.support.leaks import MARK, fake_secret
from tests.support.stacks import Stack, kubeconfig

ABSENT = object()
"""Takes a key away."""

Place = tuple[str | int, ...]


def put(values: Mapping[str, Any], place: Place, value: object) -> dict[str, Any]:
    """Copy a config and change what stands at one place."""
    changed = copy.deepcopy(dict(values))
    target: Any = changed
    for step in place[:-1]:
        target = target.setdefault(step, {}) if isinstance(target, dict) else target[step]
    if value is ABSENT:
        del target[place[-1]]
    else:
        target[place[-1]] = value
    return changed


@dataclass(frozen=True, kw_only=True)
class BadValue:
    """One wrong value in a good config of two clusters."""

    place: Place
    value: object
    told: tuple[str, ...]
    """Parts of the message: the key, what was got, what is allowed."""


NAME: Place = ("clusters", 1, "name")
NETWORK: Place = ("clusters", 1, "network")
ACCESS: Place = ("clusters", 0, "access")
VERSIONS: Place = ("clusters", 1, "versions")
LABEL = "allowed is a DNS label"
WHOLE = "valid integer"
KEYS = "Allowed: clusters, helloworld, istio, links, mesh, rancher, trust, v2Weight, verify"

BAD_VALUES = {
    "an unknown key": BadValue(place=("colour",), value=1, told=("mcsps: unknown key 'colour'.", KEYS)),
    "a misspelt key": BadValue(
        place=("v2Wieght",), value=1, told=("mcsps: unknown key 'v2Wieght'; did you mean 'v2Weight'?", KEYS)
    ),
    "a misspelt key inside": BadValue(
        place=("clusters", 0, "versoins"),
        value=["v1"],
        told=("mcsps:clusters[0]: unknown key 'versoins'; did you mean 'versions'?",),
    ),
    "a key in Python's spelling": BadValue(
        place=("mesh", "trust_domain"), value="x", told=("mcsps:mesh: unknown key 'trust_domain'", "'trustDomain'")
    ),
    "an unknown key of an access": BadValue(
        place=(*ACCESS, "clusterId"), value="local", told=("mcsps:clusters[0].access: unknown key 'clusterId'",)
    ),
    "a missing object": BadValue(place=("mesh",), value=ABSENT, told=("mcsps:mesh: missing; set it in",)),
    "a missing key": BadValue(place=("mesh", "id"), value=ABSENT, told=("mcsps:mesh.id: missing; set it in",)),
    "a missing weight": BadValue(place=("v2Weight",), value=ABSENT, told=("mcsps:v2Weight: missing",)),
    "a missing key of a cluster": BadValue(
        place=("clusters", 1, "network"), value=ABSENT, told=("mcsps:clusters[1].network: missing",)
    ),
    "a missing key of an access": BadValue(
        place=(*ACCESS, "path"), value=ABSENT, told=("mcsps:clusters[0].access.path: missing",)
    ),
    "a missing kind of access": BadValue(
        place=(*ACCESS, "kind"), value=ABSENT, told=("mcsps:clusters[0].access: ", "'kind'")
    ),
    "an unknown kind of access": BadValue(
        place=(*ACCESS, "kind"),
        value="ssh",
        told=("mcsps:clusters[0].access: ", "'ssh'", "'kubeconfig', 'rancher'"),
    ),
    "a text for an object": BadValue(place=("mesh",), value="east", told=("mcsps:mesh: got 'east'; ", "dictionary")),
    "a number for a text": BadValue(place=("mesh", "id"), value=7, told=("mcsps:mesh.id: got '7'; ", "string")),
    "an object for a list": BadValue(place=("clusters",), value={}, told=("mcsps:clusters: ", "valid tuple")),
    "no cluster": BadValue(place=("clusters",), value=[], told=("mcsps:clusters: ", "at least 1 item")),
    "two clusters of one name": BadValue(
        place=NAME,
        value="east",
        told=("mcsps:clusters[1].name: 'east' is also that of clusters[0]; ", "allowed is one name for each cluster"),
    ),
    "two clusters of one network": BadValue(
        place=NETWORK,
        value="network-east",
        told=("mcsps:clusters[1].network: 'network-east' is also that of clusters[0]; ", "allowed is one network"),
    ),
    "a name in capitals": BadValue(place=NAME, value="West", told=("mcsps:clusters[1].name: got 'West'; ", LABEL)),
    "a name with a dot": BadValue(place=NAME, value="we.st", told=("mcsps:clusters[1].name: got 'we.st'; ", LABEL)),
    "a name that ends in a hyphen": BadValue(
        place=NAME, value="west-", told=("mcsps:clusters[1].name: got 'west-'; ", LABEL)
    ),
    "a name that ends in a line break": BadValue(place=NAME, value="west\n", told=("mcsps:clusters[1].name: ", LABEL)),
    "an empty name": BadValue(place=NAME, value="", told=("mcsps:clusters[1].name: got ''; ", LABEL)),
    "a name too long for a CA's": BadValue(
        place=NAME,
        value="w" * 49,
        told=("mcsps:clusters[1].name: got 'wwww", "49 characters are too long: at most 48"),
    ),
    "a name that would make two links alike": BadValue(
        place=NAME,
        value="east-to-west",
        told=("mcsps:clusters[1].name: got 'east-to-west'; the word 'to'", "allowed is a name without it"),
    ),
    "a network too long for a label": BadValue(
        place=NETWORK, value="n" * 64, told=("mcsps:clusters[1].network: got 'nnnn", "at most 63 characters")
    ),
    "a mesh id that is no label": BadValue(
        place=("mesh", "id"), value="my mesh", told=("mcsps:mesh.id: got 'my mesh'; ", LABEL)
    ),
    "a weight of -1": BadValue(
        place=("v2Weight",), value=-1, told=("mcsps:v2Weight: got '-1'; ", "greater than or equal to 0")
    ),
    "a weight of 101": BadValue(
        place=("v2Weight",), value=101, told=("mcsps:v2Weight: got '101'; ", "less than or equal to 100")
    ),
    "a weight of 10.5": BadValue(place=("v2Weight",), value=10.5, told=("mcsps:v2Weight: got '10.5'; ", WHOLE)),
    "a weight of ten": BadValue(place=("v2Weight",), value="ten", told=("mcsps:v2Weight: got 'ten'; ", WHOLE)),
    "a weight of true": BadValue(
        place=("v2Weight",), value=True, told=("mcsps:v2Weight: got 'True'; ", "allowed is a whole number")
    ),
    "a version that does not exist": BadValue(
        place=VERSIONS, value=["v3"], told=("mcsps:clusters[1].versions[0]: got 'v3'; ", "'v1' or 'v2'")
    ),
    "a version twice": BadValue(
        place=VERSIONS, value=["v2", "v2"], told=("mcsps:clusters[1]: ", "['v2', 'v2'] name one version twice")
    ),
    "no cluster runs v2": BadValue(
        place=VERSIONS,
        value=["v1"],
        told=("mcsps:v2Weight: 10 sends 10 % to v2, which no cluster runs; add v2", "set the weight to 0"),
    ),
    "no cluster runs v1": BadValue(
        place=("clusters", 0, "versions"),
        value=[],
        told=("mcsps:v2Weight: 10 sends 90 % to v1, which no cluster runs; add v1", "set the weight to 100"),
    ),
    "charts from nowhere": BadValue(
        place=("istio", "charts"),
        value="charts",
        told=("mcsps:istio.charts: got 'charts'; ", "an https:// repository, an oci:// registry, or the absolute"),
    ),
    "a time too short": BadValue(
        place=("istio", "timeoutSeconds"),
        value=9,
        told=("mcsps:istio.timeoutSeconds: got '9'; ", "greater than or equal to 10"),
    ),
    "no replica": BadValue(
        place=("helloworld", "replicas"), value=0, told=("mcsps:helloworld.replicas: got '0'; ", "equal to 1")
    ),
    "renewal before the start": BadValue(
        place=("trust",),
        value={"intermediateValidityHours": 24, "intermediateEarlyRenewalHours": 24},
        told=("mcsps:trust: intermediateEarlyRenewalHours is 24; allowed is less than intermediateValidityHours",),
    ),
    "an intermediate that outlives the root": BadValue(
        place=("trust", "rootValidityHours"),
        value=8759,
        told=("mcsps:trust: intermediateValidityHours is 8760; allowed is at most rootValidityHours", "8759"),
    ),
    "a generation of 0": BadValue(
        place=("links", "tokenGeneration"), value=0, told=("mcsps:links.tokenGeneration: got '0'; ", "equal to 1")
    ),
    "a peer's server without TLS": BadValue(
        place=("clusters", 0, "peerServer"),
        value="http://east",
        told=("mcsps:clusters[0].peerServer: got 'http://east'; allowed is an https:// URL",),
    ),
    "a peer's server without a host": BadValue(
        place=("clusters", 0, "peerServer"),
        value="https:///",
        told=("mcsps:clusters[0].peerServer: got 'https:///'; allowed is an https:// URL with a host",),
    ),
    "an unknown credential": BadValue(
        place=("clusters", 0, "linkCredential"),
        value="password",
        told=("mcsps:clusters[0].linkCredential: got 'password'; ", "'serviceAccount' or 'rancherToken'"),
    ),
    "a Rancher token without Rancher": BadValue(
        place=("clusters", 0, "linkCredential"),
        value="rancherToken",
        told=("mcsps:clusters[0]: linkCredential rancherToken needs access of kind rancher; allowed here:",),
    ),
    "access by a Rancher that is not named": BadValue(
        place=ACCESS,
        value={"kind": "rancher", "clusterId": "c-f7r9g"},
        told=("mcsps:rancher: missing, and clusters[0] has access rancher; set the Rancher server's url",),
    ),
    "a cluster id that is none": BadValue(
        place=ACCESS,
        value={"kind": "rancher", "clusterId": "../x"},
        told=("mcsps:clusters[0].access.clusterId: got '../x'; ", "pattern"),
    ),
    "a token that lives for ever": BadValue(
        place=("rancher",),
        value={"url": "https://r.example", "tokenTtlHours": 0},
        told=("mcsps:rancher.tokenTtlHours: got '0'; ", "equal to 1"),
    ),
    "a kubeconfig instead of its path": BadValue(
        place=(*ACCESS, "path"),
        value=kubeconfig("east"),
        told=("mcsps:clusters[0].access.path: allowed is the path of a file, and not what is in it",),
    ),
    "a private key instead of the root": BadValue(
        place=("trust", "rootCertificate"),
        value=f"-----BEGIN KEY-----\n{MARK}\n",
        told=("mcsps:trust.rootCertificate: is no PEM certificate",),
    ),
}


@dataclass(frozen=True, kw_only=True)
class BadStack:
    """Config whose fault shows only together with files, secrets or the time."""

    make: Callable[[Stack, Path], Stack]
    """From a good stack of two clusters and an empty folder."""
    told: tuple[str, ...]


def bad_kubeconfig(write: Callable[[Path], object], *told: str) -> BadStack:
    """The first cluster's kubeconfig, written (or not) by `write`."""

    def make(stack: Stack, folder: Path) -> Stack:
        path = folder / "bad"
        write(path)
        return replace(stack, values=put(stack.values, (*ACCESS, "path"), str(path)))

    return BadStack(make=make, told=("mcsps:clusters[0].access.path: ", "/bad'", *told))


def bad_root(make_root: Callable[[], tuple[str | None, str | None]], *told: str) -> BadStack:
    """A root's certificate and key, either of which may be missing."""

    def make(stack: Stack, _: Path) -> Stack:
        certificate, key = make_root()
        values = put(stack.values, ("trust", "rootCertificate"), certificate) if certificate else stack.values
        return replace(stack, values=values, secrets={"rootPrivateKey": key} if key else {})

    return BadStack(make=make, told=told)


def not_a_ca() -> tuple[str, str]:
    """A server's certificate."""
    key = pems.make_key()
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    return pems.make_root(key, constraints=constraints), pems.key_pem(key)


def expired() -> tuple[str, str]:
    """A root of yesterday."""
    key = pems.make_key()
    return pems.make_root(key, not_after=pems.NOW), pems.key_pem(key)


def strangers() -> tuple[str, str]:
    """A root, and the key of another."""
    return pems.make_root(pems.make_key()), pems.key_pem(pems.make_key())


def with_rancher(stack: Stack, **secrets: str) -> Stack:
    """Give a stack a Rancher."""
    return replace(stack.changed(rancher={"url": "https://r.example"}), secrets=secrets)


def in_plain_text(stack: Stack) -> Stack:
    """Give a stack a Rancher, and its token as anybody may read it."""
    with_token = with_rancher(stack)
    return with_token.changed(rancherToken=fake_secret("plain"))


BAD_STACKS = {
    "a kubeconfig that is not there": bad_kubeconfig(lambda _: None, "cannot be read: No such file or directory"),
    "a kubeconfig that is a folder": bad_kubeconfig(Path.mkdir, "cannot be read: Is a directory"),
    "a kubeconfig that is no text": bad_kubeconfig(
        lambda path: path.write_bytes(b"\xff\xfe"), "cannot be read: it is not text"
    ),
    "a kubeconfig of nobody": BadStack(
        make=lambda stack, _: replace(stack, values=put(stack.values, (*ACCESS, "path"), "~nobody-at-all/config")),
        told=("mcsps:clusters[0].access.path: '~nobody-at-all/config' cannot be read: nobody of that name",),
    ),
    "a kubeconfig that does not parse": bad_kubeconfig(
        lambda path: path.write_text("{" + fake_secret("YAML")), "does not parse as YAML"
    ),
    "a kubeconfig without a current context": bad_kubeconfig(
        lambda path: path.write_text(kubeconfig("east").replace("current-context: east", "")),
        "has no current-context: set one with",
    ),
    "a root that is no CA": bad_root(not_a_ca, "mcsps:trust.rootCertificate: is no CA that may sign intermediates"),
    "a root that is expired": bad_root(expired, "mcsps:trust.rootCertificate: is valid from", "and so not now"),
    "a root that does not fit its key": bad_root(
        strangers, "mcsps:rootPrivateKey: does not fit mcsps:trust.rootCertificate", "set the key of that certificate"
    ),
    "a root key that is none": bad_root(
        lambda: (pems.make_root(pems.make_key()), fake_secret("no PEM")),
        "mcsps:rootPrivateKey: is no unencrypted PEM private key",
    ),
    "a root without its key": bad_root(
        lambda: (pems.make_root(pems.make_key()), None),
        "mcsps:rootPrivateKey: missing, and mcsps:trust.rootCertificate is set; bring both or neither",
    ),
    "a root key without its root": bad_root(
        lambda: (None, pems.key_pem(pems.make_key())),
        "mcsps:trust.rootCertificate: missing, and mcsps:rootPrivateKey is set; bring both or neither",
    ),
    "a Rancher without a token": BadStack(
        make=lambda stack, _: with_rancher(stack),
        told=("mcsps:rancherToken: missing; set it: pulumi config set --secret mcsps:rancherToken",),
    ),
    "a Rancher with an empty token": BadStack(
        make=lambda stack, _: with_rancher(stack, rancherToken=""), told=("mcsps:rancherToken: missing",)
    ),
    "a token in plain text": BadStack(
        make=lambda stack, _: in_plain_text(stack),
        told=("mcsps:rancherToken: is stored in plain text; allowed is a secret alone", "make a new one"),
    ),
    "a secret that is none": BadStack(
        make=lambda stack, _: replace(stack.changed(v2Weight=None), secrets={"v2Weight": fake_secret("not a number")}),
        told=("mcsps:v2Weight: is stored as a secret", "allowed as secrets: rancherToken, rootPrivateKey"),
    ),
}
