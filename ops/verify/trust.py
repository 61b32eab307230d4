"""Whether all that speaks in a mesh trusts all others: by the certificates in use, and by those to come. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, product

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from ops.cluster.envoy import Certificates
from ops.verify.facts import MeshFacts

_SHORT = 12


def distrust(facts: MeshFacts) -> str:
    """Say which roots are where, if anything does not trust another; else empty."""
    return "; ".join((*_in_use(facts), *_to_be_used(facts)))


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256, in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def short(fingerprints: Iterable[str]) -> str:
    """As many characters of each as tell them apart."""
    return "+".join(sorted(each[:_SHORT] for each in fingerprints))


def _in_use(facts: MeshFacts) -> Iterator[str]:
    """
    Compare the pods' certificates.

    A root in a ConfigMap says nothing of these: a pod keeps what it got until it is renewed.
    """
    pods: dict[Certificates, list[str]] = defaultdict(list)
    for place, certificates in _holders(facts):
        # Only a pod's own certificate, the first, is its alone.
        pods[Certificates(chain=certificates.chain[1:] or certificates.chain, roots=certificates.roots)].append(place)
    if all(_trusts(truster.roots, shown.chain) for truster, shown in product(pods, repeat=2)):
        return
    roots = tuple(dict.fromkeys(root for certificates in pods for root in certificates.roots))
    for certificates, places in pods.items():
        signers = [root for root in roots if _trusts((root,), certificates.chain)]
        trusted = "" if set(signers) == set(certificates.roots) else f" (trusting {_shown(certificates.roots)})"
        yield f"{_shown(signers) or 'unknown root'}{trusted} in {', '.join(places)}"


def _holders(facts: MeshFacts) -> Iterator[tuple[str, Certificates]]:
    for cluster in facts.clusters:
        for pod, certificates in cluster.certificates.items():
            yield f"{cluster.name}/{pod}", certificates
    for client in facts.clients.values():
        if client.certificates:
            yield f"{client.cluster}/{client.pod}", client.certificates


def _to_be_used(facts: MeshFacts) -> Iterator[str]:
    """Compare what istiod gives to new pods; while a root is changed, some hold two and others one."""
    holders: Mapping[frozenset[str], list[str]] = defaultdict(list)
    for cluster in facts.clusters:
        for namespace, roots in cluster.roots.items():
            holders[roots].append(f"{cluster.name}/{namespace}")
    if any(one.isdisjoint(other) for one, other in combinations(holders, 2)):
        for roots, where in sorted(holders.items(), key=lambda item: short(item[0])):
            yield f"{short(roots)} in {', '.join(where)}"


def _trusts(roots: Sequence[str], chain: Sequence[str]) -> bool:
    return any(_signed(root, certificate) for root, certificate in product(roots, chain))


@cache
def _signed(root: str, certificate: str) -> bool:
    """Tell whether a root is this certificate or signed it."""
    if root.strip() == certificate.strip():
        return True
    try:
        _load(certificate).verify_directly_issued_by(_load(root))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _shown(roots: Iterable[str]) -> str:
    return short(fingerprint(_load(root)) for root in roots)


def _load(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())
