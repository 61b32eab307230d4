"""
Finds pieces of private keys and tokens of a deployed mesh where they must not be.

The clusters hold the intermediates' keys and the links' tokens. Only an engine's state holds the root's key. The
stand-in keeps it in a file of mode 0600, and Pulumi encrypts it.
"""

import base64
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from mesh import names
from ops.cluster.api import ClusterApi
from ops.cluster.views import SecretView
from recorder.values import from_wire, reveal

PIECE = 40
READ_BYTES = 1 << 24
OTHERS = stat.S_IRWXG | stat.S_IRWXO
# These hold image layers of several gigabytes. No container of the mesh can write to its own image.
NOT_SEARCHED = ("io.containerd.snapshotter.v1.overlayfs", "io.containerd.content.v1.content")


def of_mesh(apis: Iterable[ClusterApi]) -> frozenset[bytes]:
    """Return pieces of each CA's private key and each link's token, plain and in Kubernetes' encoding."""
    found: set[bytes] = set()
    for api in apis:
        cacerts = api.secret(names.ISTIO_NAMESPACE, names.CACERTS)
        assert cacerts, "there is no cacerts"
        found |= _pieces(cacerts.data["ca-key.pem"])
        for link in api.secrets(names.ISTIO_NAMESPACE, f"{names.MULTICLUSTER_LABEL}=true"):
            found |= _pieces(kubeconfig_in(link)["users"][0]["user"]["token"].encode())
            found |= _pieces(*link.data.values())
    return frozenset(found)


def of_stand_in(resources: Iterable[Mapping[str, Any]]) -> frozenset[bytes]:
    """Return pieces of every private key in the stand-in's state, including the root's."""
    outputs = [reveal(from_wire(each["outputs"])) for each in resources if each["type"].endswith("PrivateKey")]
    return frozenset(_pieces(*(each["privateKeyPem"].encode() for each in outputs)))


def kubeconfig_in(secret: SecretView) -> dict[str, Any]:
    """Return the kubeconfig in a remote secret."""
    (text,) = secret.data.values()
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def readable_by_others(folder: Path) -> Iterator[Path]:
    """Yield the files on the file system of `folder` whose mode allows other users to read them."""
    device = folder.stat().st_dev
    for above, folders, files in os.walk(folder):
        folders[:] = [
            name for name in folders if name not in NOT_SEARCHED and (Path(above) / name).lstat().st_dev == device
        ]
        for name in files:
            path = Path(above) / name
            known = path.lstat()
            if known.st_dev == device and stat.S_ISREG(known.st_mode) and known.st_mode & OTHERS:
                yield path


def found_in(file: Path, needles: Iterable[bytes]) -> bool:
    """Return whether a file contains any of the needles."""
    tail = b""
    with file.open("rb") as opened:
        while block := opened.read(READ_BYTES):
            if any(needle in tail + block for needle in needles):
                return True
            tail = block[-PIECE:]
    return False


def _pieces(*values: bytes) -> set[bytes]:
    found = set()
    for value in values:
        lines = [line for line in value.splitlines() if len(line) >= PIECE and b" " not in line]
        for text in (*lines, base64.b64encode(value)):
            start = (len(text) - PIECE) // 2
            found.add(text[start : start + PIECE])
    return found
