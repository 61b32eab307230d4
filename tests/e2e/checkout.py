"""A copy of the checkout in which a test edits the stack file as users do, and runs commands."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from config.base import NAMESPACE
from config.schema import Settings
from lab.engines import Engine
from lab.stacks import STACK
from ops import stack as stacks
from ops.verify.report import Report

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = (".*", "venv", "__pycache__", "bench", "docs", "tests")
COMMAND_SECONDS = 900
SHOWN_CHARACTERS = 6000
PULUMI_TOOLS = ".tools"
FEW_REQUESTS = 100
SETTLED_SECONDS = 90


@dataclass(frozen=True, kw_only=True)
class Run:
    """The exit code and the output of a command."""

    command: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def text(self) -> str:
        """Both streams in one text."""
        return f"{self.stdout}\n{self.stderr}"

    def must_succeed(self) -> "Run":
        """Fail the test unless the exit code is 0; return the run."""
        assert self.code == 0, f"{' '.join(self.command)} ended with {self.code}:\n{self.text[-SHOWN_CHARACTERS:]}"
        return self

    def must_fail(self) -> "Run":
        """Fail the test if the exit code is 0; return the run."""
        assert self.code != 0, f"{' '.join(self.command)} ended well:\n{self.text[-SHOWN_CHARACTERS:]}"
        return self


def faults(report: Report) -> list[object]:
    """
    Return the failures of a mesh after a few requests, except those of the versions' shares.

    A hundred requests miss the bound too often by chance; the tests of the weight send a thousand.
    """
    shares = {"traffic-ingress", "traffic-client"}
    failed = [check for check in report.checks if not check.ok and check.id not in shares]
    loops = [loop for loop in report.traffic if loop.failed or not loop.v1 or not loop.v2]
    return [*failed, *loops]


class Checkout:
    """A copy of the project for one test, with the tests' virtual environment."""

    def __init__(self, root: Path, stack: str = STACK) -> None:
        self.root = root
        self.stack = stack
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
        (root / ".venv").symlink_to(sys.prefix)
        if (ROOT / PULUMI_TOOLS).exists():
            (root / PULUMI_TOOLS).symlink_to(ROOT / PULUMI_TOOLS)

    @property
    def settings(self) -> Settings:
        """Return the lab's current stack config."""
        return stacks.load(self.stack, self.root)

    def configure(self, **values: Any) -> None:  # noqa: ANN401 - whatever YAML can say
        """Set keys of the lab's stack config, without their prefix."""
        file = self.root / f"Pulumi.{self.stack}.yaml"
        document = yaml.safe_load(file.read_text())
        document["config"] |= {f"{NAMESPACE}:{key}": value for key, value in values.items()}
        file.write_text(yaml.safe_dump(document))

    def config(self, key: str) -> Any:  # noqa: ANN401 - whatever YAML can say
        """Return the value of a key in the lab's stack file."""
        document = yaml.safe_load((self.root / f"Pulumi.{self.stack}.yaml").read_text())
        return document["config"][f"{NAMESPACE}:{key}"]

    def deploy(self, command: str, engine: Engine, *options: str) -> Run:
        """Run the program on the lab."""
        return self.run("lab.deploy", command, "--stack", self.stack, "--engine", engine, *options)

    def verify(self, *options: str, requests: int = 1000, wait_seconds: int = 30) -> Report:
        """Verify the mesh after it has settled; fail only if there is no report."""
        how = ("--json", "--requests", str(requests), "--wait", str(wait_seconds))
        done = self.run("ops", "verify", "--stack", self.stack, *how, *options)
        assert done.stdout.startswith("{"), done.text
        report = Report.model_validate_json(done.stdout)
        assert (done.code == 0) == report.ok, f"exit code {done.code} is not what the report says:\n{done.text}"
        return report

    def run(self, module: str, *arguments: str) -> Run:
        """Run one of the project's modules."""
        return run_module(self.root, module, *arguments)

    def run_and_kill(self, seconds: float, module: str, *arguments: str) -> bool:
        """Run one of the project's modules, and kill all its processes; return whether it still ran."""
        with _session(self.root, module, *arguments) as process:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                return True
            return False


def run_module(root: Path, module: str, *arguments: str) -> Run:
    """Run one of a checkout's modules."""
    command = (sys.executable, "-m", module, *arguments)
    started = time.monotonic()
    done = subprocess.run(  # noqa: S603 - the project's own modules
        command,
        cwd=root,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )
    return Run(
        command=command[1:],
        code=done.returncode,
        stdout=done.stdout,
        stderr=done.stderr,
        seconds=time.monotonic() - started,
    )


def faults_once_settled(checkout: Checkout) -> list[object]:
    """
    Return the failures that remain a minute and a half after a repair.

    An ingress gateway reconnects to a restarted istiod after some time, and uses its old routes until then.
    """
    retrying = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_delay(SETTLED_SECONDS),
        wait=wait_fixed(5),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else [],
    )
    return retrying(lambda: faults(checkout.verify(requests=FEW_REQUESTS)))


@contextmanager
def _session(root: Path, module: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    # A session, because Pulumi starts its plugins in separate process groups.
    process = subprocess.Popen(  # noqa: S603 - the project's own modules
        (sys.executable, "-m", module, *arguments),
        cwd=root,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # Repeat until none remains, because a process may have started another one before its kill.
        while members := session_members(process.pid):
            for pid in members:
                _kill(pid)
            process.poll()
            time.sleep(0.02)
        process.wait()


def session_members(session: int) -> list[int]:
    """Return the processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = stat.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_session) == session and state not in "ZX":
            found.append(int(stat.parent.name))
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def environment() -> dict[str, str]:
    """Return the environment of the project's commands."""
    # The tests never download Pulumi's plugins, and are skipped if one is missing.
    return {**os.environ, "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true", "NO_COLOR": "1"}
