"""
The mesh's trust: one root CA, and one intermediate CA for each cluster.

Owns keys, certificates and their renewal. Does not own the Secrets that hold them, which are those of `IstioInstall`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_random as random
import pulumi_tls as tls
from pulumi import Input, Output, ResourceOptions

from mesh import names

# Istiod accepts a new root only together with the old one, so a rotation needs phases (docs/adr/0004).
ROOT_GENERATION = 1
# The uses that Istio's own certificate generator sets.
CA_USES = ("digital_signature", "content_commitment", "key_encipherment", "cert_signing", "crl_signing")


@dataclass(frozen=True, kw_only=True, eq=False)
class ProvidedRootArgs:
    """A root CA that the user provides."""

    certificate_pem: str
    private_key_pem: Input[str] = field(repr=False)
    """The certificate's key; a secret."""
    expiry: str
    """The certificate's expiry, RFC 3339."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneratedRootArgs:
    """A root CA that the program generates."""

    validity_hours: int
    protect: bool
    """Whether Pulumi refuses to delete or replace the root."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MeshTrustArgs:
    """The root CA, and the intermediate CAs of the clusters."""

    mesh_id: str
    cluster_names: tuple[str, ...]
    root: ProvidedRootArgs | GeneratedRootArgs
    intermediate_validity_hours: int
    intermediate_early_renewal_hours: int
    """How long before its expiry an intermediate is renewed, in hours."""
    intermediate_generation: int
    """A higher number rotates the keys and certificates of all intermediates."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Intermediate:
    """One cluster's intermediate CA, in istiod's format."""

    cacerts: Output[Mapping[str, str]] = field(repr=False)
    """The four entries of the Secret `cacerts`, PEM by file name; a secret."""
    expiry: Output[str]
    """The certificate's expiry, RFC 3339."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Signer:
    certificate_pem: Input[str]
    private_key_pem: Input[str] = field(repr=False)


class MeshTrust(pulumi.ComponentResource):
    """One root CA and an intermediate CA for each cluster."""

    root_expiry: Output[str]
    """The root's expiry, RFC 3339."""
    intermediates: Mapping[str, Intermediate]
    """Intermediate CA by cluster name."""

    def __init__(self, name: str, args: MeshTrustArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("mcsps:index:MeshTrust", name, {"meshId": args.mesh_id}, opts)
        if isinstance(args.root, ProvidedRootArgs):
            signer = _Signer(certificate_pem=args.root.certificate_pem, private_key_pem=args.root.private_key_pem)
            self.root_expiry = Output.from_input(args.root.expiry)
        else:
            signer, self.root_expiry = self._generate_root(name, args.mesh_id, args.root)
        self.intermediates = {
            cluster: self._issue_intermediate(name, cluster, args, signer) for cluster in args.cluster_names
        }
        self.register_outputs({"rootExpiry": self.root_expiry})

    def _generation(self, name: str, number: int) -> Output[str]:
        return random.RandomId(
            f"{name}-generation",
            byte_length=8,
            keepers={"generation": str(number)},
            opts=ResourceOptions(parent=self),
        ).hex

    def _generate_root(self, name: str, mesh_id: str, args: GeneratedRootArgs) -> tuple[_Signer, Output[str]]:
        generation = self._generation(f"{name}-root", ROOT_GENERATION)
        key = tls.PrivateKey(
            f"{name}-root-key",
            algorithm="ECDSA",
            ecdsa_curve="P384",
            opts=ResourceOptions(parent=self, protect=args.protect, replacement_trigger=generation),
        )
        certificate = tls.SelfSignedCert(
            f"{name}-root-certificate",
            private_key_pem=key.private_key_pem,
            # Path building compares Subjects, so each root has its own, even in stacks with the same mesh id.
            subject={"organization": mesh_id, "common_name": "Root CA", "serial_number": generation},
            validity_period_hours=args.validity_hours,
            is_ca_certificate=True,
            # pulumi-tls drops a path length of 0, so the root limits the depth and not the intermediates.
            max_path_length=1,
            set_subject_key_id=True,
            set_authority_key_id=True,
            allowed_uses=CA_USES,
            opts=ResourceOptions(parent=self, protect=args.protect),
        )
        signer = _Signer(certificate_pem=certificate.cert_pem, private_key_pem=key.private_key_pem)
        return signer, certificate.validity_end_time

    def _issue_intermediate(self, name: str, cluster: str, args: MeshTrustArgs, signer: _Signer) -> Intermediate:
        child = ResourceOptions(parent=self)
        # Has its own prefix, so that a cluster named root does not get the root's names.
        prefix = f"{name}-intermediate-{cluster}"
        generation = self._generation(prefix, args.intermediate_generation)
        key = tls.PrivateKey(
            f"{prefix}-key",
            algorithm="ECDSA",
            ecdsa_curve="P256",
            opts=ResourceOptions(parent=self, replacement_trigger=generation),
        )
        request = tls.CertRequest(
            f"{prefix}-request",
            private_key_pem=key.private_key_pem,
            subject={
                "organization": args.mesh_id,
                "common_name": names.intermediate_common_name(cluster),
                "locality": cluster,
                "serial_number": generation,
            },
            dns_names=[names.ISTIOD_HOST],
            opts=child,
        )
        certificate = tls.LocallySignedCert(
            f"{prefix}-certificate",
            cert_request_pem=request.cert_request_pem,
            ca_cert_pem=signer.certificate_pem,
            ca_private_key_pem=signer.private_key_pem,
            validity_period_hours=args.intermediate_validity_hours,
            early_renewal_hours=args.intermediate_early_renewal_hours,
            is_ca_certificate=True,
            set_subject_key_id=True,
            allowed_uses=CA_USES,
            opts=child,
        )
        cacerts = Output.all(
            certificate=certificate.cert_pem, key=key.private_key_pem, root=signer.certificate_pem
        ).apply(lambda known: cacerts_entries(**known))
        return Intermediate(cacerts=Output.secret(cacerts), expiry=certificate.validity_end_time)


def cacerts_entries(*, certificate: str, key: str, root: str) -> Mapping[str, str]:
    """The entries of the Secret `cacerts`, all PEM; istiod does not start if one is missing."""
    certificate, key, root = (pem.strip() + "\n" for pem in (certificate, key, root))
    return {
        "ca-cert.pem": certificate,
        "ca-key.pem": key,
        "cert-chain.pem": certificate + root,
        "root-cert.pem": root,
    }
