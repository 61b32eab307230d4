"""
The mesh's trust: one root CA, and one intermediate CA for each cluster.

Owns keys, certificates and their renewal. Does not own where they are kept in a cluster: `IstioInstall` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_random as random
import pulumi_tls as tls
from pulumi import Input, Output, ResourceOptions

from mesh import names

# Istiod takes a root only beside the one that it has, so a new one must come in phases (docs/adr/0004).
ROOT_GENERATION = 1
# What Istio's own certificate generator gives its CAs.
CA_USES = ("digital_signature", "content_commitment", "key_encipherment", "cert_signing", "crl_signing")


@dataclass(frozen=True, kw_only=True, eq=False)
class BroughtRootArgs:
    """A root CA that the user made."""

    certificate_pem: str
    private_key_pem: Input[str] = field(repr=False)
    """A secret."""
    expiry: str
    """End of validity, RFC 3339."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MadeRootArgs:
    """A root CA that the program makes."""

    validity_hours: int
    protect: bool
    """Whether the engine refuses to delete or replace the root."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MeshTrustArgs:
    """The root and the clusters under it."""

    mesh_id: str
    cluster_names: tuple[str, ...]
    root: BroughtRootArgs | MadeRootArgs
    intermediate_validity_hours: int
    intermediate_early_renewal_hours: int
    intermediate_generation: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Intermediate:
    """One cluster's CA, as istiod wants it."""

    cacerts: Output[Mapping[str, str]] = field(repr=False)
    """The four entries of the Secret `cacerts`, secret."""
    expiry: Output[str]
    """End of validity, RFC 3339."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Signer:
    certificate_pem: Input[str]
    private_key_pem: Input[str] = field(repr=False)


class MeshTrust(pulumi.ComponentResource):
    """One root CA and an intermediate CA for each cluster."""

    root_expiry: Output[str]
    """End of the root's validity, RFC 3339."""
    intermediates: Mapping[str, Intermediate]
    """By cluster name."""

    def __init__(self, name: str, args: MeshTrustArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("mcsps:index:MeshTrust", name, {"meshId": args.mesh_id}, opts)
        if isinstance(args.root, BroughtRootArgs):
            signer = _Signer(certificate_pem=args.root.certificate_pem, private_key_pem=args.root.private_key_pem)
            self.root_expiry = Output.from_input(args.root.expiry)
        else:
            signer, self.root_expiry = self._make_root(name, args.mesh_id, args.root)
        self.intermediates = {
            cluster: self._make_intermediate(name, cluster, args, signer) for cluster in args.cluster_names
        }
        self.register_outputs({"rootExpiry": self.root_expiry})

    def _generation(self, name: str, number: int) -> Output[str]:
        return random.RandomId(
            f"{name}-generation",
            byte_length=8,
            keepers={"generation": str(number)},
            opts=ResourceOptions(parent=self),
        ).hex

    def _make_root(self, name: str, mesh_id: str, args: MadeRootArgs) -> tuple[_Signer, Output[str]]:
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
            # Path building goes by Subject: no two roots share one, not even those of stacks with one mesh id.
            subject={"organization": mesh_id, "common_name": "Root CA", "serial_number": generation},
            validity_period_hours=args.validity_hours,
            is_ca_certificate=True,
            # pulumi-tls drops 0, so the limit to one level below stands here, at 1, and not on the intermediates.
            max_path_length=1,
            set_subject_key_id=True,
            set_authority_key_id=True,
            allowed_uses=CA_USES,
            opts=ResourceOptions(parent=self, protect=args.protect),
        )
        signer = _Signer(certificate_pem=certificate.cert_pem, private_key_pem=key.private_key_pem)
        return signer, certificate.validity_end_time

    def _make_intermediate(self, name: str, cluster: str, args: MeshTrustArgs, signer: _Signer) -> Intermediate:
        child = ResourceOptions(parent=self)
        # Of its own kind, so that a cluster called root is none of the root's names.
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
    """The entries of the Secret `cacerts`, all PEM: istiod refuses to start if one is missing."""
    certificate, key, root = (pem.strip() + "\n" for pem in (certificate, key, root))
    return {
        "ca-cert.pem": certificate,
        "ca-key.pem": key,
        "cert-chain.pem": certificate + root,
        "root-cert.pem": root,
    }
