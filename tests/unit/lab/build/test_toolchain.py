"""The build of the toolchain, and its failures. A script replaces Go."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.progress import Progress, TaskID

from errors import UserError
from lab.build import toolchain

FAKE_GO = """#!/bin/sh
echo "$@" >> "$GO_LOG"
case "$1" in
env) echo "${GO_VERSION:-go1.26.8}" ;;
mod) echo "{\\"Dir\\": \\"$GO_MODULE\\"}" ;;
build)
    while [ "$1" != -o ]; do shift; done
    folder="$2"
    shift 2
    for package in "$@"; do
        echo "$package" >&2
        built="$folder$(basename "${package%/v3}")"
        eval "$GO_BUILD"
        echo whole > "$built"
    done ;;
esac
"""


class Go:
    """A double of `go` on the PATH that records its arguments."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.log = folder / "go.log"
        self.module = folder / "module"
        for origin in ("base", "istio-control/istio-discovery", "gateway"):
            chart = self.module / "manifests" / "charts" / origin / "Chart.yaml"
            chart.parent.mkdir(parents=True)
            chart.write_text(f"name: {origin}\n")
            chart.chmod(0o444)
        bootstrap = self.module / "tools" / "packaging" / "common" / "envoy_bootstrap.json"
        bootstrap.parent.mkdir(parents=True)
        bootstrap.write_text("{}")
        program = folder / "bin" / "go"
        program.parent.mkdir()
        program.write_text(FAKE_GO)
        program.chmod(0o755)
        self.set(
            PATH=f"{program.parent}:{os.environ['PATH']}",
            GO_LOG=str(self.log),
            GO_MODULE=str(self.module),
            XDG_CACHE_HOME=str(folder / "cache"),
        )

    def set(self, **environment: str) -> None:
        """Change Go's environment variables. GO_BUILD is a script that runs before each program is complete."""
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)

    def builds(self) -> list[str]:
        """Return the programs that were built, in order."""
        return [line for line in self.log.read_text().splitlines() if line.startswith("build")]


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Go:
    """Put the double on the PATH, with an empty cache."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**40))
    return Go(tmp_path, monkeypatch)


@pytest.fixture
def progress() -> Progress:
    """Return a progress display without output."""
    return Progress(disable=True)


def test_every_program_is_built_and_found(go: Go, progress: Progress) -> None:
    """A toolchain contains every program of every module."""
    tools = toolchain.ensure(progress)
    for name in ("etcd", "kube-apiserver", "pilot-discovery", "coredns", "helloworld", "pause"):
        assert tools.binary(name).read_text() == "whole\n"
    assert len(go.builds()) == len(("kubernetes", "mesh", "pods")), "what shares code is compiled together"


def test_what_the_main_job_does_not_need_is_built_when_it_is_needed(go: Go, progress: Progress) -> None:
    """Only this program is built; existing ones do not change."""
    tools = toolchain.ensure(progress)
    assert not any(tools.binary(name).exists() for name in ("kubectl", "istioctl", "helm"))
    built = go.builds()
    assert toolchain.ensure(progress, "helm").binary("helm").read_text() == "whole\n"
    (later,) = go.builds()[len(built) :]
    assert later.endswith(" helm.sh/helm/v4/cmd/helm")
    assert not tools.binary("istioctl").exists()


def test_a_program_of_the_users_own_is_taken(go: Go, progress: Progress, tmp_path: Path) -> None:
    """It replaces the build of this program."""
    own = tmp_path / "bin" / "istioctl"
    assert toolchain.ensure_program("istioctl", progress) == toolchain.place().binary("istioctl")
    built = go.builds()
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert toolchain.ensure_program("istioctl", progress) == own
    assert go.builds() == built


def test_a_build_shows_how_far_it_is(go: Go, progress: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    """One progress bar covers all modules. It counts compiled packages, and no downloads."""
    go.set(GO_BUILD='echo "go: downloading example.com/m v1.0.0" >&2')
    steps: list[TaskID] = []
    monkeypatch.setattr(progress, "advance", steps.append)
    tools = toolchain.ensure(progress)
    (task,) = progress.tasks
    assert task.finished
    assert len(steps) == len(list((tools.folder / "bin").iterdir())), "the double compiles one package a program"


def test_packages_that_go_has_already_count_when_their_module_is_through(
    go: Go, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the remaining time would include them."""
    monkeypatch.setattr(progress, "advance", lambda _: None)
    go.set(GO_BUILD='case "$package" in */pilot-discovery) exit 1;; esac')
    with pytest.raises(UserError):
        toolchain.ensure(progress)
    (task,) = progress.tasks
    assert task.total is not None
    assert 0 < task.completed < task.total


@pytest.mark.parametrize(("own", "used"), [(None, "400"), ("50", "50")])
def test_compilers_collect_garbage_seldom_unless_the_user_says_otherwise(
    go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str | None, used: str
) -> None:
    """This does not change the result of the build, so the cache entry stays the same."""
    monkeypatch.delenv("GOGC", raising=False)
    place = toolchain.place()
    if own:
        go.set(GOGC=own)
    go.set(GO_BUILD=f'echo "$GOGC" >>{tmp_path}/gogc')
    assert toolchain.ensure(Progress(disable=True)) == place
    assert set((tmp_path / "gogc").read_text().split()) == {used}


def test_a_second_run_builds_nothing(go: Go, progress: Progress) -> None:
    """Existing programs are reused."""
    first = toolchain.ensure(progress)
    built = go.builds()
    assert toolchain.ensure(progress) == first
    assert go.builds() == built


def test_a_toolchain_is_where_it_will_be_built(go: Go, progress: Progress) -> None:
    """A look-up of a program builds nothing."""
    found = toolchain.place()
    assert not found.folder.exists()
    assert found == toolchain.ensure(progress) == toolchain.place()
    assert go.builds()


@pytest.mark.usefixtures("go")
def test_nothing_but_what_is_whole_is_left_behind(progress: Progress) -> None:
    """The cache contains no scratch files."""
    assert {path.name for path in toolchain.ensure(progress).folder.iterdir()} == {
        "bin",
        "charts",
        "envoy_bootstrap.json",
        "lock",
    }


@pytest.mark.usefixtures("go")
def test_the_charts_are_named_as_their_releases_and_can_be_removed(progress: Progress) -> None:
    """The files in Go's module cache are read-only, and their copies are not."""
    charts = toolchain.ensure(progress).charts
    assert (charts / "istiod" / "Chart.yaml").read_text() == "name: istio-control/istio-discovery\n"
    assert {path.name for path in charts.iterdir()} == {"base", "istiod", "gateway"}
    assert all(path.stat().st_mode & 0o200 for path in charts.rglob("*"))


def test_a_build_that_fails_leaves_no_half_program(go: Go, progress: Progress) -> None:
    """The next run keeps the complete programs and builds the others."""
    go.set(GO_BUILD='case "$package" in */kube-apiserver) exit 1;; esac')
    with pytest.raises(UserError, match="kube-apiserver"):
        toolchain.ensure(progress)
    built = [path.name for path in go.log.parent.glob("cache/mcsps-lab/*/bin/*")]
    assert built == ["etcd"]
    go.set(GO_BUILD="")
    assert toolchain.ensure(progress).binary("kube-apiserver").read_text() == "whole\n"
    assert sum("etcd/server" in line for line in go.builds()) == 1


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("write /x: no space left on device", "disk space"),
        ("Get https://proxy: dial tcp: lookup proxy: no such host", "GOPROXY"),
        ("undefined: foo", "by hand"),
    ],
)
def test_a_failed_build_says_what_go_said_and_what_to_do(go: Go, progress: Progress, said: str, remedy: str) -> None:
    """Each common cause has a remedy of its own."""
    go.set(GO_BUILD=f"echo '{said}' >&2; exit 1")
    with pytest.raises(UserError) as failure:
        toolchain.ensure(progress)
    assert said in failure.value.message
    assert remedy in failure.value.remedy


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_compiler_outlives_its_run(go: Go, tmp_path: Path, number: signal.Signals) -> None:
    """After any end of the run, no compiler is running and no program is partial."""
    child = tmp_path / "child"
    go.set(GO_BUILD=f"sleep 60 & echo $! > {child}; wait")
    _start_and_end(child, number)
    _wait_until(lambda: _is_gone(int(child.read_text())))
    assert not list(tmp_path.glob("cache/mcsps-lab/*/bin/*"))


def test_the_next_run_waits_for_what_got_away_from_a_killed_one(go: Go, tmp_path: Path, progress: Progress) -> None:
    """Otherwise it would remove a folder while a compiler still writes to it."""
    child = tmp_path / "child"
    go.set(GO_BUILD=f"setsid sleep 1 & echo $! > {child}; wait")
    _start_and_end(child, signal.SIGKILL)
    assert not _is_gone(int(child.read_text()))
    go.set(GO_BUILD="")
    toolchain.ensure(progress)
    assert _is_gone(int(child.read_text()))


@pytest.mark.usefixtures("go")
def test_no_go_is_an_error_with_a_remedy(progress: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what the user must install."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UserError, match="no `go` on PATH") as failure:
        toolchain.ensure(progress)
    assert "Install Go 1.26 or newer" in failure.value.remedy


@pytest.mark.parametrize("version", ["go1.25.9", "go1.9", "what"])
def test_a_go_that_is_too_old_is_an_error(go: Go, progress: Progress, version: str) -> None:
    """Versions compare as numbers."""
    go.set(GO_VERSION=version)
    with pytest.raises(UserError, match=re.escape(version)):
        toolchain.ensure(progress)


@pytest.mark.parametrize("version", ["go1.26", "go1.27rc1", "go2.0", "devel go1.28-abcdef Mon"])
def test_a_newer_go_is_welcome_and_builds_anew(go: Go, progress: Progress, version: str) -> None:
    """The compiler is one of the inputs."""
    old = toolchain.ensure(progress)
    go.set(GO_VERSION=version)
    assert toolchain.ensure(progress) != old


@pytest.mark.usefixtures("go")
def test_a_changed_pin_builds_anew(progress: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file of the modules is one of the inputs."""
    sources = shutil.copytree(toolchain.SOURCES, tmp_path / "sources")
    monkeypatch.setattr(toolchain, "SOURCES", sources)
    old = toolchain.ensure(progress)
    with (sources / "mesh" / "go.sum").open("a") as sums:
        sums.write("\n")
    assert toolchain.ensure(progress) != old


def test_a_disk_that_is_too_full_is_an_error_before_the_build(
    go: Go, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the build would fail after several minutes."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))
    with pytest.raises(UserError, match=r"needs 9\.4 GiB of disk, and .* has 1\.0 GiB free"):
        toolchain.ensure(progress)
    assert not go.builds()


def test_an_unknown_program_is_an_error() -> None:
    """A misspelled name fails at the request."""
    with pytest.raises(KeyError, match="kube-api"):
        toolchain.Toolchain(Path("/nowhere")).binary("kube-api")


@pytest.mark.parametrize(
    ("module", "pin"),
    [
        ("kubernetes", f"k8s.io/kubernetes {toolchain.KUBERNETES_VERSION}"),
        ("kubernetes", f"k8s.io/api => k8s.io/api v0{toolchain.KUBERNETES_VERSION.removeprefix('v1')}"),
        ("mesh", f"helm.sh/helm/v4 {toolchain.HELM_VERSION}"),
    ],
)
def test_programs_are_stamped_with_the_version_that_is_pinned(module: str, pin: str) -> None:
    """A version that differs from the pin would be wrong."""
    lines = [line.strip().removesuffix(" // indirect") for line in _pins(module).splitlines()]
    assert pin in lines


@pytest.mark.parametrize("module", ["kubernetes", "mesh", "pods"])
def test_the_oldest_go_is_the_one_that_the_modules_ask_for(module: str) -> None:
    """The check and the modules agree."""
    assert f"\ngo {'.'.join(map(str, toolchain.GO_MINIMUM))}.0\n" in _pins(module)


def test_the_servers_say_their_version(go: Go, progress: Progress) -> None:
    """They would report v0.0.0 without the linker's flag."""
    toolchain.ensure(progress)
    server = next(line for line in go.builds() if "kube-apiserver" in line)
    assert f"version.gitVersion={toolchain.KUBERNETES_VERSION} " in server
    assert "-trimpath" in server


def _pins(module: str) -> str:
    return (toolchain.SOURCES / module / "go.mod").read_text()


def _start_and_end(child: Path, number: signal.Signals) -> None:
    """Start a build in its own process, and end it with a signal once its compiler has printed its pid."""
    program = (
        "from rich.progress import Progress; from lab.build import toolchain; toolchain.ensure(Progress(disable=True))"
    )
    run = subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-c", program], cwd=toolchain.SOURCES.parents[2], stderr=subprocess.DEVNULL
    )
    _wait_until(lambda: child.exists() and child.read_text().strip() != "")
    run.send_signal(number)
    assert run.wait(timeout=10) != 0


def _is_gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().split()[2] == "Z"


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
