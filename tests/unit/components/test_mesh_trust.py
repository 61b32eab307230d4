"""MeshTrust: one root, an intermediate for each cluster, and the four entries that istiod reads."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pulumi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from components import GeneratedRootArgs, MeshTrust, MeshTrustArgs, ProvidedRootArgs
from components.mesh_trust import cacerts_entries
from lab.standin.providers import tls
from mesh import root_ca
from recorder.registrations import Outcome, Registration
from recorder.values import Secret, Unknown, reveal
from tests.support import pems, recording
from tests.support.components import kinds
from tests.support.leaks import MARK, fake_secret, find_leaks
from tests.support.recording import Maker, RecordingMonitor, record

MADE = GeneratedRootArgs(validity_hours=87600, protect=True)
CLUSTERS = ("east", "west")


def record_trust(
    *,
    preview: bool = False,
    root: GeneratedRootArgs | Callable[[], ProvidedRootArgs] = MADE,
    generation: int = 1,
    clusters: tuple[str, ...] = CLUSTERS,
    makers: Mapping[str, Maker] | None = None,
) -> RecordingMonitor:
    """Record the trust of two clusters, and export what it passes to other components."""

    def body() -> None:
        args = MeshTrustArgs(
            mesh_id="mesh-1",
            cluster_names=clusters,
            root=root() if callable(root) else root,
            intermediate_validity_hours=8760,
            intermediate_early_renewal_hours=2920,
            intermediate_generation=generation,
        )
        trust = MeshTrust("trust", args)
        pulumi.export("rootExpiry", trust.root_expiry)
        for name, intermediate in trust.intermediates.items():
            pulumi.export(name, {"cacerts": intermediate.cacerts, "expiry": intermediate.expiry})

    return record(body, preview=preview, makers=makers)


def really(type_: str) -> Maker:
    """Return a maker of keys and certificates that works as pulumi-tls does."""

    def make(registration: Registration) -> Outcome:
        return tls.TYPES[type_].make(reveal(registration.inputs))

    return make


REAL = {
    type_: really(type_)
    for type_ in (
        recording.PRIVATE_KEY,
        recording.CERT_REQUEST,
        recording.SELF_SIGNED_CERT,
        recording.LOCALLY_SIGNED_CERT,
    )
}


def brought_root(key: ec.EllipticCurvePrivateKey, certificate: str) -> Callable[[], ProvidedRootArgs]:
    """Return a function that puts a provided root into Args."""

    def make() -> ProvidedRootArgs:
        return ProvidedRootArgs(
            certificate_pem=certificate,
            private_key_pem=pulumi.Output.secret(pems.key_pem(key)),
            expiry=root_ca.expiry(x509.load_pem_x509_certificate(certificate.encode())),
        )

    return make


def fake_brought_root() -> ProvidedRootArgs:
    """Return the Args of a provided root with fake texts."""
    key = pulumi.Output.secret(fake_secret("root key"))
    return ProvidedRootArgs(certificate_pem="root", private_key_pem=key, expiry="2040-01-01T00:00:00Z")


def cacerts_of(monitor: RecordingMonitor, cluster: str) -> dict[str, str]:
    """Return the four entries of a cluster, after a check that they are a secret."""
    cacerts = monitor.exports[cluster]["cacerts"]
    assert isinstance(cacerts, Secret)
    return {str(name): str(pem) for name, pem in cacerts.value.items()}


def test_a_made_root_and_each_intermediate_are_children_of_the_trust(*, preview: bool) -> None:
    """The root has an id, a key and a certificate. Each intermediate also has a certificate request."""
    monitor = record_trust(preview=preview)
    component = monitor.find("mcsps:index:MeshTrust", "trust")
    children = monitor.children(component)
    assert len(children) == len(monitor.recorded) - 1
    assert kinds(children) == sorted(
        ["RandomId", "PrivateKey", "SelfSignedCert"]
        + 2 * ["RandomId", "PrivateKey", "CertRequest", "LocallySignedCert"]
    )
    assert component.inputs == {"meshId": "mesh-1"}


def test_a_brought_root_adds_no_resource_of_its_own() -> None:
    """Only the resources that sign with its key get the key."""
    monitor = record_trust(root=fake_brought_root)
    assert kinds(monitor.children(monitor.find("mcsps:index:MeshTrust"))) == sorted(
        2 * ["RandomId", "PrivateKey", "CertRequest", "LocallySignedCert"]
    )
    certificates = monitor.find_all(recording.LOCALLY_SIGNED_CERT)
    assert {found.inputs["caCertPem"] for found in certificates} == {"root"}
    assert {found.inputs["caPrivateKeyPem"] for found in certificates} == {Secret(fake_secret("root key"))}


@pytest.mark.parametrize("protect", [True, False])
def test_the_roots_key_and_certificate_are_protected_as_config_says(*, protect: bool) -> None:
    """No other resource is protected, because an intermediate must be able to rotate."""
    root = GeneratedRootArgs(validity_hours=87600, protect=protect)
    monitor = record_trust(root=root)
    protected = {found.name for found in monitor.recorded if found.protect}
    assert protected == ({"trust-root-key", "trust-root-certificate"} if protect else set())


def test_the_root_is_ecdsa_p384_and_the_intermediates_p256() -> None:
    """There is no RSA key and no default curve."""
    monitor = record_trust()
    curves = {found.name: (found.inputs["algorithm"], found.inputs["ecdsaCurve"]) for found in private_keys(monitor)}
    assert curves.pop("trust-root-key") == ("ECDSA", "P384")
    assert set(curves.values()) == {("ECDSA", "P256")}


def private_keys(monitor: RecordingMonitor) -> list[Registration]:
    """Return all private keys."""
    return monitor.find_all(recording.PRIVATE_KEY)


def test_the_root_allows_one_level_of_cas_below_it() -> None:
    """The limit is on the root, because pulumi-tls drops a limit of 0 on the intermediates."""
    monitor = record_trust()
    root = monitor.find(recording.SELF_SIGNED_CERT).inputs
    assert (root["isCaCertificate"], root["maxPathLength"], root["validityPeriodHours"]) == (True, 1, 87600)
    assert all("maxPathLength" not in found.inputs for found in monitor.find_all(recording.LOCALLY_SIGNED_CERT))


def test_an_intermediate_is_a_ca_that_renews_early() -> None:
    """The validity and the early renewal are those of the config."""
    for found in record_trust().find_all(recording.LOCALLY_SIGNED_CERT):
        assert found.inputs["isCaCertificate"] is True
        assert found.inputs["validityPeriodHours"] == 8760
        assert found.inputs["earlyRenewalHours"] == 2920
        assert {"cert_signing", "crl_signing"} <= set(found.inputs["allowedUses"])


def test_an_intermediate_carries_istiods_name_and_its_own_subject() -> None:
    """Istiod checks the SAN, and the Subjects distinguish the CAs."""
    monitor = record_trust()
    requests = [found.inputs for found in monitor.find_all(recording.CERT_REQUEST)]
    assert [inputs["dnsNames"] for inputs in requests] == [["istiod.istio-system.svc"]] * 2
    for cluster, inputs in zip(CLUSTERS, requests, strict=True):
        subject = inputs["subject"]
        assert subject["commonName"] == f"Intermediate CA {cluster}"
        assert (subject["organization"], subject["locality"]) == ("mesh-1", cluster)


def test_subjects_of_all_cas_differ_also_between_generations() -> None:
    """Clients find the issuer of a certificate by its Subject."""
    monitors = [record_trust(), record_trust(generation=2)]
    subjects = {
        tuple(sorted(found.inputs["subject"].items()))
        for monitor in monitors
        for found in monitor.find_all(recording.CERT_REQUEST) + monitor.find_all(recording.SELF_SIGNED_CERT)
    }
    assert len(subjects) == 1 + 2 * 2


@pytest.mark.parametrize("key", ["trust-root", *(f"trust-intermediate-{cluster}" for cluster in CLUSTERS)])
def test_a_key_is_as_old_as_its_generation(key: str) -> None:
    """A new id of the generation replaces the key, and the Subject contains the id."""
    monitor = record_trust()
    (generation,) = [found for found in monitor.find_all(recording.RANDOM_ID) if found.name.startswith(f"{key}-")]
    made = monitor.made(generation, "hex")
    found = next(found for found in private_keys(monitor) if found.name.startswith(f"{key}-"))
    assert found.replacement_trigger == made
    subjects = [
        found.inputs["subject"]["serialNumber"]
        for found in monitor.find_all(recording.CERT_REQUEST) + monitor.find_all(recording.SELF_SIGNED_CERT)
        if found.name.startswith(f"{key}-")
    ]
    assert subjects == [made]


def test_a_cluster_called_root_is_none_of_the_roots_names() -> None:
    """Two resources with the same name would stop the program."""
    monitor = record_trust(clusters=("root",))
    assert len(private_keys(monitor)) == 2


def test_rotating_intermediates_leaves_the_root_alone() -> None:
    """Istiod would refuse another root in its place."""
    first, second = record_trust(), record_trust(generation=2)
    moved = {
        found.name
        for found in second.find_all(recording.RANDOM_ID)
        if found.inputs != first.registrations[found.urn].inputs
    }
    assert len(moved) == 2
    assert "trust-root-generation" not in moved


def test_what_istiod_gets_is_four_entries_root_last() -> None:
    """The entry cert-chain.pem begins with the intermediate and ends with the root."""
    monitor = record_trust()
    cacerts = cacerts_of(monitor, "east")
    assert set(cacerts) == {"ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"}
    assert cacerts["cert-chain.pem"] == cacerts["ca-cert.pem"] + cacerts["root-cert.pem"]
    key = monitor.find(recording.PRIVATE_KEY, "trust-intermediate-east-key")
    assert cacerts["ca-key.pem"] == monitor.made(key, "privateKeyPem") + "\n"
    assert cacerts["root-cert.pem"] == monitor.made(monitor.find(recording.SELF_SIGNED_CERT), "certPem")


def test_each_entry_ends_with_exactly_one_line_break() -> None:
    """Otherwise the chain would have two certificates on one line, or an empty line."""
    assert cacerts_entries(certificate="a\n\n", key="k", root="r\n") == {
        "ca-cert.pem": "a\n",
        "ca-key.pem": "k\n",
        "cert-chain.pem": "a\nr\n",
        "root-cert.pem": "r\n",
    }


def check_chain(cacerts: Mapping[str, str], cluster: str) -> x509.Certificate:
    """Verify one cluster's entries as istiod does, and return the root."""
    intermediate, root = x509.load_pem_x509_certificates(cacerts["cert-chain.pem"].encode())
    assert x509.load_pem_x509_certificate(cacerts["ca-cert.pem"].encode()) == intermediate
    assert x509.load_pem_x509_certificate(cacerts["root-cert.pem"].encode()) == root
    intermediate.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    key = serialization.load_pem_private_key(cacerts["ca-key.pem"].encode(), password=None)
    assert key.public_key() == intermediate.public_key()
    names = intermediate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert [name.value for name in names] == [f"Intermediate CA {cluster}"]
    assert intermediate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    san = intermediate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == ["istiod.istio-system.svc"]
    return root


def test_a_real_chain_of_a_made_root_verifies() -> None:
    """Each cluster's key matches its intermediate, and the same root signed all intermediates."""
    monitor = record_trust(makers=REAL)
    roots = {check_chain(cacerts_of(monitor, cluster), cluster) for cluster in CLUSTERS}
    (root,) = roots
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 1)
    assert monitor.exports["rootExpiry"] == root_ca.expiry(root)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here to judge the chain")
def test_no_ca_below_an_intermediate_is_trusted(tmp_path: Path) -> None:
    """The root's path length allows only the intermediate, and openssl enforces it for the chain."""
    cacerts = cacerts_of(record_trust(makers=REAL), "east")
    intermediate, key = cacerts["ca-cert.pem"], cacerts["ca-key.pem"]
    leaf, _ = pems.issue(intermediate, key, "leaf", is_ca=False)
    assert openssl_verify(tmp_path, leaf=leaf, through=intermediate, root=cacerts["root-cert.pem"]) == "leaf.pem: OK"
    sub_ca, sub_key = pems.issue(intermediate, key, "CA of a thief", is_ca=True)
    stolen, _ = pems.issue(sub_ca, sub_key, "leaf", is_ca=False)
    judgement = openssl_verify(tmp_path, leaf=stolen, through=sub_ca + intermediate, root=cacerts["root-cert.pem"])
    assert "path length constraint exceeded" in judgement


def openssl_verify(folder: Path, **pem_by_name: str) -> str:
    """Return the output of openssl for `leaf`, with `through` between it and the only trusted `root`."""
    for name, pem in pem_by_name.items():
        (folder / f"{name}.pem").write_text(pem)
    command = ["openssl", "verify", "-no-CApath", "-no-CAstore", *("-CAfile", "root.pem", "-untrusted", "through.pem")]
    done = subprocess.run([*command, "leaf.pem"], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    return (done.stdout + done.stderr).strip()


def test_a_real_chain_of_a_brought_root_verifies() -> None:
    """The provided certificate is the root of every cluster, and its expiry is an output."""
    key = pems.make_key()
    certificate = pems.make_root(key)
    monitor = record_trust(root=brought_root(key, certificate), makers=REAL)
    for cluster in CLUSTERS:
        check_chain(cacerts_of(monitor, cluster), cluster)
        assert cacerts_of(monitor, cluster)["root-cert.pem"] == certificate
    assert monitor.exports["rootExpiry"] == f"{pems.END:%Y-%m-%dT%H:%M:%SZ}"


def test_expiry_dates_are_told_and_nothing_else() -> None:
    """The component's own outputs contain only the root's expiry."""
    monitor = record_trust()
    assert monitor.exports["rootExpiry"] == recording.ROOT_EXPIRY
    assert [monitor.exports[cluster]["expiry"] for cluster in CLUSTERS] == [recording.INTERMEDIATE_EXPIRY] * 2
    component = monitor.find("mcsps:index:MeshTrust")
    assert monitor.component_outputs[component.urn] == {"rootExpiry": recording.ROOT_EXPIRY}


@pytest.mark.parametrize("root", [MADE, fake_brought_root])
def test_keys_are_secret_wherever_they_go(root: GeneratedRootArgs, *, preview: bool) -> None:
    """They are secret even before their values are known."""
    monitor = record_trust(root=root, preview=preview)
    assert find_leaks(monitor) == []
    for cluster in CLUSTERS:
        assert isinstance(monitor.exports[cluster]["cacerts"], Secret)
    if preview:
        assert monitor.exports["east"]["cacerts"] == Secret(Unknown())


def test_a_brought_key_does_not_show_in_the_repr_of_its_args() -> None:
    """A traceback with local variables shows this repr."""
    args = ProvidedRootArgs(certificate_pem="root", private_key_pem=fake_secret("key"), expiry="2040")
    assert MARK not in repr(args)
