"""Keys and certificates of a cluster."""

import stat
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from lab import spec
from lab.build.toolchain import Toolchain
from lab.clusters import cluster, control_plane, kubeconfig, node
from lab.machine import pki

EAST, WEST = spec.clusters(2)
TOOLS = Toolchain(Path("/tools"))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the lab's state in a folder of the test."""
    monkeypatch.setattr(spec, "STATE_DIR", tmp_path / "state")
    return tmp_path / "state"


def certificate(of: spec.ClusterSpec, name: str) -> x509.Certificate:
    """Read a certificate of a cluster."""
    return x509.load_pem_x509_certificate((of.pki / f"{name}.crt").read_bytes())


@pytest.mark.usefixtures("state")
def test_every_identity_is_signed_by_its_clusters_ca_and_fits_its_key() -> None:
    """The CA verifies the certificate, and the key next to it is its key."""
    pki.ensure(EAST)
    ca = certificate(EAST, "ca")
    for subject in pki.subjects(EAST):
        issued = certificate(EAST, subject.name)
        issued.verify_directly_issued_by(ca)
        key = load_pem_private_key((EAST.pki / f"{subject.name}.key").read_bytes(), password=None)
        assert key.public_key() == issued.public_key()
        assert issued.not_valid_before_utc < datetime.now(UTC) < issued.not_valid_after_utc


@pytest.mark.usefixtures("state")
def test_clusters_do_not_trust_each_other() -> None:
    """The other cluster's CA does not verify a client's certificate."""
    pki.ensure(EAST)
    pki.ensure(WEST)
    with pytest.raises(ValueError, match="Issuer"):
        certificate(EAST, "admin").verify_directly_issued_by(certificate(WEST, "ca"))


@pytest.mark.usefixtures("state")
def test_api_certificate_holds_the_node_and_the_service_address() -> None:
    """Peers connect to the node's address, pods to the Service's."""
    pki.ensure(WEST)
    extension = certificate(WEST, "apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    assert {WEST.address, IPv4Address("10.43.0.1")} <= set(addresses)
    assert "kubernetes.default.svc.cluster.local" in extension.value.get_values_for_type(x509.DNSName)


@pytest.mark.usefixtures("state")
def test_a_certificate_is_for_servers_or_for_clients_and_never_a_ca() -> None:
    """The API server's certificate cannot authenticate as a client."""
    pki.ensure(EAST)
    for subject in pki.subjects(EAST):
        extensions = certificate(EAST, subject.name).extensions
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        expected = ExtendedKeyUsageOID.SERVER_AUTH if subject.is_server else ExtendedKeyUsageOID.CLIENT_AUTH
        assert list(usage) == [expected]
        assert not extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value.ca  # type: ignore[attr-defined]


def test_kubelet_is_the_node_that_its_authorizer_expects() -> None:
    """The node authorizer and NodeRestriction decide by user and group."""
    kubelet = next(it for it in pki.subjects(EAST) if it.name == "kubelet")
    assert (kubelet.user, kubelet.groups) == ("system:node:east", ("system:nodes",))


def test_only_the_administrator_is_above_the_rules() -> None:
    """system:masters bypasses RBAC; the lab's own programs are subject to it."""
    assert [it.name for it in pki.subjects(EAST) if "system:masters" in it.groups] == ["admin"]


def test_making_keys_again_changes_nothing(state: Path) -> None:
    """A second `up` keeps every issued credential valid."""
    pki.ensure(EAST)
    before = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    pki.ensure(EAST)
    assert {path: path.read_bytes() for path in state.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("state")
def test_keys_that_a_kill_left_half_made_are_made_anew() -> None:
    """A key without its certificate is replaced."""
    pki.ensure(EAST)
    (EAST.pki / "admin.crt").unlink()
    pki.ensure(EAST)
    key = load_pem_private_key((EAST.pki / "admin.key").read_bytes(), password=None)
    assert key.public_key() == certificate(EAST, "admin").public_key()


@pytest.mark.usefixtures("state")
def test_certificates_that_another_ca_signed_are_issued_anew() -> None:
    """A killed `down` may have removed the CA and left its certificates."""
    pki.ensure(EAST)
    for file in ("ca.crt", "ca.key"):
        (EAST.pki / file).unlink()
    pki.ensure(EAST)
    for subject in pki.subjects(EAST):
        certificate(EAST, subject.name).verify_directly_issued_by(certificate(EAST, "ca"))


@pytest.mark.parametrize(("day", "is_kept"), [(1, False), (-1, True)])
@pytest.mark.usefixtures("state")
def test_a_certificate_near_its_end_is_issued_anew_and_its_readers_start_anew(
    monkeypatch: pytest.MonkeyPatch, day: int, *, is_kept: bool
) -> None:
    """The same CA signs it, because it is valid longer. Programs read certificates only at their start."""

    def make() -> tuple[dict[str, x509.Certificate], list[str]]:
        pki.ensure(EAST)
        kubeconfig.ensure(EAST)
        node.configure(EAST)
        readers = (
            control_plane.api_server(EAST, TOOLS),
            control_plane.controller_manager(EAST, TOOLS),
            control_plane.scheduler(EAST, TOOLS),
            node.kubelet(EAST, TOOLS),
            node.kube_proxy(EAST, TOOLS),
            cluster.load_balancer(EAST),
        )
        names = ("ca", *(subject.name for subject in pki.subjects(EAST)))
        return {name: certificate(EAST, name) for name in names}, [reader.digest() for reader in readers]

    before, digests = make()
    monkeypatch.setattr(pki, "RENEWAL", pki.VALIDITY + timedelta(days=day))
    after, digests_after = make()
    assert {name for name in before if before[name] == after[name]} == (set(before) if is_kept else {"ca"})
    assert [old == new for old, new in zip(digests, digests_after, strict=True)] == [is_kept] * len(digests)


def test_every_file_is_its_owners_alone(state: Path) -> None:
    """Keys and kubeconfigs have mode 0600, their folders 0700."""
    pki.ensure(EAST)
    kubeconfig.ensure(EAST)
    for path in (state, *state.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.usefixtures("state")
def test_kubeconfig_verifies_the_server_and_holds_everything_inline() -> None:
    """It needs no other file, and it does not disable the verification."""
    pki.ensure(EAST)
    kubeconfig.ensure(EAST)
    text = EAST.kubeconfig.read_text()
    parsed = yaml.safe_load(text)
    assert parsed["current-context"] == "east"
    assert parsed["clusters"][0]["cluster"].keys() == {"server", "certificate-authority-data"}
    assert parsed["users"][0]["user"].keys() == {"client-certificate-data", "client-key-data"}
    assert "insecure" not in text


@pytest.mark.usefixtures("state")
def test_subject_carries_user_and_groups() -> None:
    """Kubernetes reads the user from the common name and groups from the organizations."""
    pki.ensure(EAST)
    subject = certificate(EAST, "kubelet").subject
    assert [it.value for it in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == ["system:nodes"]
    assert [it.value for it in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["system:node:east"]
