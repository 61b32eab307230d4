"""
The programs that the lab runs, built once from pinned Go modules.

Owns the pins' build: which programs, with which flags and version stamps, into which cache entry. The programs of the
main job are built first, those of one Go module by one `go build`, which compiles what they share once. The others are
built when a command first needs them. Istio's charts and Envoy's bootstrap template come out of the same module and are
copied beside them. Go's own build and module caches stay with their owner, the user: they make the next build short.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from rich.progress import Progress

from errors import UserError
from lab.build import cache

KUBERNETES_VERSION = "v1.35.4"
ISTIO_VERSION = "1.31"
HELM_VERSION = "v4.2.0"
GO_MINIMUM = (1, 26)

SOURCES = Path(__file__).parent / "go_modules"
"""One folder for each Go module."""

_ISTIO = "istio.io/istio"
_CHARTS = {"base": "base", "istiod": "istio-control/istio-discovery", "gateway": "gateway"}
_BOOTSTRAP = Path("tools/packaging/common/envoy_bootstrap.json")

# Seen from empty Go caches: modules, compiled packages, work folder and programs.
_COLD_BYTES = 12 * 2**30
_NETWORK_FAULT = re.compile(r"dial tcp|i/o timeout|no such host|connection re|TLS handshake|x509:|proxyconnect")
_DOWNLOADING = "go: "
_LAST_LINES = 15
# Compilers outlive a `go` that is killed. A shell ends with this process, and kills its whole process group.
_TIED = ("setpriv", "--pdeathsig=TERM", "sh", "-c", 'trap "kill -KILL 0" TERM; "$@" & wait $!', "sh")


@dataclass(frozen=True)
class _Program:
    name: str
    module: str
    package: str
    packages: int
    """Go packages to compile for it, beside those of the main job's programs above it; counted by `go list -deps`."""
    is_main: bool = True
    """Whether the main job needs it: clusters, a mesh and requests."""
    built: str = ""
    """The name that Go gives it, where that is another."""


_PROGRAMS = (
    _Program("etcd", "kubernetes", "go.etcd.io/etcd/server/v3", 564, built="server"),
    _Program("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", 1549),
    _Program("kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", 368),
    _Program("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", 6),
    _Program("kube-proxy", "kubernetes", "k8s.io/kubernetes/cmd/kube-proxy", 30),
    _Program("kubelet", "kubernetes", "k8s.io/kubernetes/cmd/kubelet", 94),
    _Program("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl", 192, is_main=False),
    _Program("pilot-discovery", "mesh", f"{_ISTIO}/pilot/cmd/pilot-discovery", 1533),
    _Program("pilot-agent", "mesh", f"{_ISTIO}/pilot/cmd/pilot-agent", 85),
    _Program("istioctl", "mesh", f"{_ISTIO}/istioctl/cmd/istioctl", 287, is_main=False),
    _Program("helm", "mesh", "helm.sh/helm/v4/cmd/helm", 218, is_main=False),
    _Program("coredns", "mesh", "./coredns", 91),
    _Program("helloworld", "pods", "./helloworld", 1),
    _Program("pause", "pods", "./pause", 1),
)

_MAJOR, _MINOR, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
# Unstamped, a server says v0.0.0 and every check of its version (Helm's kubeVersion, Pulumi's) fails.
_STAMPS = {
    "kubernetes": {
        "k8s.io/component-base/version.gitMajor": _MAJOR,
        "k8s.io/component-base/version.gitMinor": _MINOR,
        "k8s.io/component-base/version.gitTreeState": "clean",
        "k8s.io/component-base/version.gitVersion": KUBERNETES_VERSION,
        "k8s.io/client-go/pkg/version.gitVersion": KUBERNETES_VERSION,
    },
    "mesh": {
        "istio.io/istio/pkg/version.buildVersion": ISTIO_VERSION,
        "helm.sh/helm/v4/internal/version.version": HELM_VERSION,
    },
    "pods": dict[str, str](),
}


_FLAGS = (
    # What -w would throw away need not be made.
    "-gcflags=all=-dwarf=false",
    # As Istio's own builds: validation code that it never calls.
    "-tags=disable_pgv",
)


@dataclass(frozen=True)
class Toolchain:
    """
    A whole set of programs.

    Attributes:
        folder: The cache entry; its name stands for all that went into it.
    """

    folder: Path

    @property
    def charts(self) -> Path:
        """Folder with Istio's charts `base`, `istiod` and `gateway`."""
        return self.folder / "charts"

    @property
    def envoy_bootstrap(self) -> Path:
        """Template of the configuration that pilot-agent starts Envoy with."""
        return self.folder / _BOOTSTRAP.name

    def binary(self, name: str) -> Path:
        """
        Where the program `name` is.

        Raises:
            KeyError: The toolchain has no such program.
        """
        if name not in {program.name for program in _PROGRAMS}:
            raise KeyError(name)
        return self.folder / "bin" / name


def place() -> Toolchain:
    """
    Say where the programs of these pins are, built or not.

    Raises:
        UserError: Go is missing or too old.
    """
    return Toolchain(cache.root() / f"toolchain-{_key(_go_version())}")


def ensure(progress: Progress, *others: str) -> Toolchain:
    """
    Build what is missing, and return the toolchain.

    A build that is interrupted leaves whole programs alone, and the next call goes on from there.

    Args:
        progress: Shows how far the build is.
        others: Programs to build beside those of the main job, by name.

    Raises:
        UserError: Go is missing or too old, the disk is too full, or a build failed.
    """
    toolchain = place()
    if _is_whole(toolchain, others):
        return toolchain
    with cache.filling(toolchain.folder, progress) as filling:
        missing = _missing(toolchain, others)
        cache.require_space(toolchain.folder, _COLD_BYTES * len(missing) // len(_PROGRAMS), "Building the programs")
        task = progress.add_task("Build programs", total=sum(program.packages for program in missing))
        done = 0
        for module, group in groupby(missing, key=lambda program: program.module):
            programs = list(group)
            progress.update(task, description=f"Build programs ({module})")
            _build(programs, filling, toolchain, partial(progress.advance, task))
            # Packages that Go has in its own cache are not counted one by one.
            done += sum(program.packages for program in programs)
            progress.update(task, completed=done)
        if not _has_istio_files(toolchain):
            _copy_istio_files(filling.scratch, toolchain)
    return toolchain


def ensure_program(name: str, progress: Progress) -> Path:
    """
    Find a program on the PATH, else build it; returns where it is.

    Raises:
        UserError: It cannot be built.
    """
    known = shutil.which(name)
    return Path(known) if known else ensure(progress, name).binary(name)


def _missing(toolchain: Toolchain, others: Collection[str]) -> list[_Program]:
    return [
        program
        for program in _PROGRAMS
        if (program.is_main or program.name in others) and not toolchain.binary(program.name).exists()
    ]


def _is_whole(toolchain: Toolchain, others: Collection[str]) -> bool:
    return not _missing(toolchain, others) and _has_istio_files(toolchain)


def _has_istio_files(toolchain: Toolchain) -> bool:
    return toolchain.charts.exists() and toolchain.envoy_bootstrap.exists()


def _go_version() -> str:
    remedy = f"Install Go {'.'.join(map(str, GO_MINIMUM))} or newer (https://go.dev/dl) and put it on PATH."
    if not shutil.which("go"):
        raise UserError("There is no `go` on PATH to build the lab's programs with", remedy)
    version = _go(["env", "GOVERSION"], "pods").strip()
    found = re.match(r"(?:devel )?go(\d+)\.(\d+)", version)
    if found is None or tuple(map(int, found.groups())) < GO_MINIMUM:
        raise UserError(
            f"The `go` on PATH is {version or 'of no known version'}: too old for the lab's programs", remedy
        )
    return version


def _key(go_version: str) -> str:
    sources = sorted(path for path in SOURCES.rglob("*") if path.is_file())
    commands = [" ".join(_build_arguments([program], Path())) for program in _PROGRAMS]
    names = [program.name for program in _PROGRAMS]
    return cache.key(
        [
            go_version.encode(),
            *(text.encode() for text in names + commands),
            *(part for path in sources for part in (str(path.relative_to(SOURCES)).encode(), path.read_bytes())),
        ]
    )


def _build_arguments(programs: Sequence[_Program], folder: Path) -> list[str]:
    module = programs[0].module
    stamps = [f"-X {variable}={value}" for variable, value in _STAMPS[module].items()]
    link = " ".join(["-s", "-w", *stamps])
    packages = [program.package for program in programs]
    flags = ["-v", "-trimpath", "-buildvcs=false", *_FLAGS, "-ldflags", link]
    return ["build", *flags, "-o", f"{folder}/", *packages]


def _build(
    programs: Sequence[_Program], filling: cache.Filling, toolchain: Toolchain, report: Callable[[], None]
) -> None:
    folder = filling.scratch / "programs"
    folder.mkdir(exist_ok=True)
    try:
        _go(_build_arguments(programs, folder), programs[0].module, filling, report)
    finally:
        for program in programs:
            built = folder / (program.built or program.name)
            if built.exists():
                target = toolchain.binary(program.name)
                target.parent.mkdir(exist_ok=True)
                built.replace(target)


def _copy_istio_files(scratch: Path, toolchain: Toolchain) -> None:
    module = Path(json.loads(_go(["mod", "download", "-json", _ISTIO], "mesh"))["Dir"])
    charts = scratch / "charts"
    for name, origin in _CHARTS.items():
        shutil.copytree(module / "manifests/charts" / origin, charts / name)
    bootstrap = scratch / _BOOTSTRAP.name
    shutil.copy(module / _BOOTSTRAP, bootstrap)
    # Files of the module cache are read-only. A copy must be writable, or only root can remove it.
    for path in (charts, bootstrap, *charts.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.rmtree(toolchain.charts, ignore_errors=True)
    charts.replace(toolchain.charts)
    bootstrap.replace(toolchain.envoy_bootstrap)


def _go(
    arguments: list[str],
    module: str,
    filling: cache.Filling | None = None,
    report: Callable[[], None] = lambda: None,
) -> str:
    """
    Run `go` in a module and return its output. Its children end with it, whatever ends this call or this process.

    `report` is called for each package that is compiled, which `-v` writes to standard error.
    """
    # Compilers live for seconds: to collect garbage less often saves a fifth of their time, for memory by the half.
    defaults = {"GOGC": "400"}
    # GOFLAGS and GOWORK of the user's own would change what is built; GOTMPDIR keeps gigabytes out of a small /tmp.
    overrides = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    with subprocess.Popen(  # noqa: S603 - arguments from the tables above
        [*_TIED, "go", *arguments],
        cwd=SOURCES / module,
        env=defaults | os.environ | overrides | ({"GOTMPDIR": str(filling.scratch)} if filling else {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        pass_fds=(filling.lock,) if filling else (),
    ) as process:
        assert process.stdout is not None  # noqa: S101 - both are pipes
        assert process.stderr is not None  # noqa: S101 - both are pipes
        last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        try:
            for line in process.stderr:
                last_lines.append(line)
                if not line.startswith(_DOWNLOADING):
                    report()
            output = process.stdout.read()
            process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            raise
    if process.returncode:
        raise _failure(arguments, module, "".join(last_lines))
    return output


def _failure(arguments: list[str], module: str, errors: str) -> UserError:
    message = f"`go {' '.join(arguments)}` failed in {SOURCES / module}:\n{errors.strip()}"
    if "no space left on device" in errors:
        return UserError(message, "Free some disk space (`go env GOCACHE GOMODCACHE` says where Go fills it).")
    if _NETWORK_FAULT.search(errors):
        return UserError(message, "Check the way to the module proxy (`go env GOPROXY`), then run this again.")
    return UserError(message, "Run that command by hand to see more. What is built already is kept.")
