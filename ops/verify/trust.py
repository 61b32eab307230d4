"""Whether all pods of a mesh trust each other: by the certificates in use, and by those that istiod will issue."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, product

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from mesh import names
from ops.cluster.calls import ApiError
from ops.cluster.envoy import Certificates
from ops.cluster.sidecar import see_certificates
from ops.verify.facts import Fact, Inspection, MeshFacts

_SHORT = 12
_ROOT_CONFIG_MAP = "istio-ca-root-cert"
_ROOT_KEY = "root-cert.pem"
_PODS = (
    (names.APP_NAMESPACE, f"app={names.HELLOWORLD}"),
    (names.ISTIO_NAMESPACE, f"app={names.INGRESS_GATEWAY}"),
)
"""Those that end TLS themselves; an east-west gateway passes it on."""


def distrust(mesh: MeshFacts) -> str:
    """Return which roots are where, if one pod does not trust another; else empty."""
    return "; ".join((*_in_use(mesh), *_to_be_issued(mesh)))


def fingerprints(pem: str) -> frozenset[str]:
    """
    Return the SHA-256 of each certificate in a bundle, in hexadecimal.

    Raises:
        ValueError: It holds no certificate.
    """
    return frozenset(map(_fingerprint, x509.load_pem_x509_certificates(pem.encode())))


def short(fingerprints: Iterable[str]) -> str:
    """Abbreviate fingerprints to so many characters as distinguish them."""
    return "+".join(sorted(each[:_SHORT] for each in fingerprints))


def _read_roots(inspection: Inspection) -> Mapping[str, frozenset[str]]:
    roots = {}
    for namespace in (names.ISTIO_NAMESPACE, names.APP_NAMESPACE):
        data = inspection.api.config_map(namespace, _ROOT_CONFIG_MAP) or {}
        try:
            roots[namespace] = fingerprints(data.get(_ROOT_KEY, ""))
        except ValueError:
            continue
    return roots


def _read_certificates(inspection: Inspection) -> Mapping[str, Certificates]:
    api = inspection.api
    return inspection.poller.retry(
        lambda: {
            pod.name: see_certificates(api, namespace, pod.name)
            for namespace, selector in _PODS
            for pod in api.pods(namespace, selector)
            if pod.ready
        },
        ApiError,
    )


_NO_ROOTS: Mapping[str, frozenset[str]] = {}
_NO_CERTIFICATES: Mapping[str, Certificates] = {}
ROOTS = Fact(name="roots", read=_read_roots, unknown=_NO_ROOTS)
"""Fingerprints of the mesh root's certificates, by namespace: what istiod gives to new pods."""
CERTIFICATES = Fact(name="certificates", read=_read_certificates, unknown=_NO_CERTIFICATES)
"""What the pods of helloworld and of the ingress gateway use, by pod."""


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def _in_use(mesh: MeshFacts) -> Iterator[str]:
    """
    Compare the pods' certificates.

    The root in a ConfigMap does not show them: a pod keeps its certificate until it renews it.
    """
    pods: dict[Certificates, list[str]] = defaultdict(list)
    for place, certificates in _holders(mesh):
        # Only a pod's own certificate, the first, is its alone.
        pods[Certificates(chain=certificates.chain[1:] or certificates.chain, roots=certificates.roots)].append(place)
    if all(_trusts(truster.roots, shown.chain) for truster, shown in product(pods, repeat=2)):
        return
    roots = tuple(dict.fromkeys(root for certificates in pods for root in certificates.roots))
    for certificates, places in pods.items():
        signers = [root for root in roots if _trusts((root,), certificates.chain)]
        trusted = "" if set(signers) == set(certificates.roots) else f" (trusting {_shown(certificates.roots)})"
        yield f"{_shown(signers) or 'unknown root'}{trusted} in {', '.join(places)}"


def _holders(mesh: MeshFacts) -> Iterator[tuple[str, Certificates]]:
    for cluster in mesh.clusters:
        for pod, certificates in cluster.get(CERTIFICATES).items():
            yield f"{cluster.name}/{pod}", certificates
    for client in mesh.clients.values():
        if client.certificates:
            yield f"{client.cluster}/{client.pod}", client.certificates


def _to_be_issued(mesh: MeshFacts) -> Iterator[str]:
    """Compare what istiod gives to new pods; while a root rotates, some hold two roots and others one."""
    holders: Mapping[frozenset[str], list[str]] = defaultdict(list)
    for cluster in mesh.clusters:
        for namespace, roots in cluster.get(ROOTS).items():
            holders[roots].append(f"{cluster.name}/{namespace}")
    if any(one.isdisjoint(other) for one, other in combinations(holders, 2)):
        for roots, where in sorted(holders.items(), key=lambda item: short(item[0])):
            yield f"{short(roots)} in {', '.join(where)}"


def _trusts(roots: Sequence[str], chain: Sequence[str]) -> bool:
    return any(_signed(root, certificate) for root, certificate in product(roots, chain))


@cache
def _signed(root: str, certificate: str) -> bool:
    """Return whether a root is this certificate or signed it."""
    if root.strip() == certificate.strip():
        return True
    try:
        _load(certificate).verify_directly_issued_by(_load(root))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _shown(roots: Iterable[str]) -> str:
    return short(_fingerprint(_load(root)) for root in roots)


def _load(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())
