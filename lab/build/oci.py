"""
Container images as one OCI archive, written without a daemon.

The same input gives the same bytes: entries are sorted, and owners and times are fixed. A layer that several images
share is stored once, so that a node imports it once too.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
# Not compressed: a node on the same machine gains nothing from fewer bytes, and would spend seconds on inflating them.
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Symlink:
    """A symbolic link to `target`."""

    target: str


Content = bytes | Path | Symlink
"""What a file of a layer holds: bytes, what a file of this machine holds (executable if that is), or a link."""

Layer = Mapping[str, Content]
"""Files by their absolute path in the container; the folders that they need come with them."""


@dataclass(frozen=True)
class Image:
    """
    One image.

    Attributes:
        name: What a pod asks for: repository and tag.
        user: Numeric, so that the kubelet sees that it is not root.
    """

    name: str
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...]
    user: str
    environment: Mapping[str, str] = field(default_factory=dict)


class Archive:
    """An archive under construction; its blobs wait in `scratch` until `write`."""

    def __init__(self, scratch: Path) -> None:
        self._blobs = scratch / "blobs"
        self._blobs.mkdir()
        self._manifests: list[dict[str, object]] = []

    def add(self, image: Image) -> None:
        """Pack an image's layers and take it into the index."""
        platform_ = {"architecture": _ARCHITECTURES[platform.machine()], "os": "linux"}
        layers = [self._add_layer(layer) for layer in image.layers]
        config = {
            **platform_,
            "config": {
                "Entrypoint": list(image.entrypoint),
                "Env": [f"{name}={value}" for name, value in sorted(image.environment.items())],
                "User": image.user,
                "WorkingDir": "/",
            },
            # Uncompressed, a layer's digest and the digest of its content are one.
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": self._add_blob(_CONFIG, _json(config)),
            "layers": layers,
        }
        self._manifests.append(
            self._add_blob(_MANIFEST, _json(manifest))
            | {
                "platform": platform_,
                "annotations": {
                    "io.containerd.image.name": image.name,
                    "org.opencontainers.image.ref.name": image.name.rpartition(":")[2],
                },
            }
        )

    def write(self, target: Path) -> None:
        """Write the archive of all images that were added."""
        entries: dict[str, Content] = {
            "/oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
            "/index.json": _json({"schemaVersion": 2, "manifests": self._manifests}),
        }
        _pack(target, entries | {f"/blobs/sha256/{blob.name}": blob for blob in self._blobs.iterdir()})

    def _add_layer(self, layer: Layer) -> dict[str, object]:
        packed = self._blobs / "layer.tmp"
        _pack(packed, layer)
        with packed.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        blob = packed.replace(self._blobs / digest)
        return {"mediaType": _LAYER, "digest": f"sha256:{digest}", "size": blob.stat().st_size}

    def _add_blob(self, media_type: str, content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (self._blobs / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _pack(target: Path, files: Layer) -> None:
    folders = {str(folder) for path in files for folder in PurePosixPath(path).parents} - {"/"}
    with tarfile.open(target, "w") as archive:
        for path in sorted(folders | files.keys()):
            entry = tarfile.TarInfo(path.removeprefix("/"))
            if path in folders:
                entry.type = tarfile.DIRTYPE
                entry.mode = 0o755
                archive.addfile(entry)
            else:
                _pack_file(archive, entry, files[path])


def _pack_file(archive: tarfile.TarFile, entry: tarfile.TarInfo, content: Content) -> None:
    match content:
        case Symlink(target):
            entry.type = tarfile.SYMTYPE
            entry.linkname = target
            archive.addfile(entry)
        case Path():
            status = content.stat()
            entry.size = status.st_size
            entry.mode = 0o755 if status.st_mode & 0o100 else 0o644
            with content.open("rb") as file:
                archive.addfile(entry, file)
        case bytes():
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
