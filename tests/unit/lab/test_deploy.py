"""The choice of the engine on the lab, and the inputs of Pulumi."""

import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from errors import UserError
from lab import deploy, engines, pulumi_backend, spec, stacks
from lab.deploy import Command, run_stand_in
from lab.engines import Engine
from lab.machine import lock
from lab.rancher import service
from recovery.pulumi_cli import PulumiCli

SALT = "v1:made:up"
INSTALL_FOLDER = engines.INSTALL_ROOT.name


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set up a machine without Pulumi, and a folder of the lab for the test."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(engines, "INSTALL_ROOT", tmp_path / "tools")
    monkeypatch.setattr(pulumi_backend, "HOME", tmp_path / "home")
    monkeypatch.setattr(pulumi_backend, "PASSPHRASE", tmp_path / "home" / "passphrase")
    monkeypatch.setattr(pulumi_backend, "TEMPORARY", tmp_path / "home" / "tmp")
    monkeypatch.setattr(pulumi_backend, "PULUMI_HOME", tmp_path / "home" / "home")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "users"))
    monkeypatch.setattr(engines, "MARK", tmp_path / "mark")
    monkeypatch.setattr(service.RancherPlace, "directory", tmp_path / "rancher")
    monkeypatch.setattr(engines, "is_interactive", lambda: False)
    monkeypatch.setattr(deploy, "existing", lambda: spec.clusters(2))
    for engine in ("run_pulumi", "run_stand_in"):
        monkeypatch.setattr(deploy, engine, lambda *_: pytest.fail("a unit test would change the lab"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(lock, "_NAME", f"\0mcsps-lab-test-{os.getpid()}")
    return tmp_path / "home"


@pytest.fixture
def installer() -> Iterator[str]:
    """Serve a script that installs a Pulumi which prints its version."""
    script = b"""#!/bin/sh
mkdir -p "$4/bin" && printf '#!/bin/sh\necho %s' "$2" >"$4/bin/pulumi" && chmod +x "$4/bin/pulumi"
"""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            self.end_headers()
            self.wfile.write(script)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def fake_pulumi(folder: Path, text: str = "exit 0") -> Path:
    """Create an executable named pulumi."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def put_on_path(program: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a program first on the PATH."""
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return str(program)


def test_without_pulumi_and_without_a_person_the_stand_in_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is downloaded, and the output contains the engine and the reason."""
    assert engines.choose(None, engines.claim("lab"), may_install=False) == (Engine.STAND_IN, None)
    assert "engine: stand-in (pulumi is not on the PATH" in capsys.readouterr().err


def test_pulumi_on_the_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder does not matter."""
    path = put_on_path(fake_pulumi(tmp_path / "bin"), monkeypatch)
    assert engines.choose(None, engines.claim("lab"), may_install=False) == (Engine.PULUMI, path)


def test_who_made_what_the_lab_holds_is_chosen_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Pulumi that is available later does not know these resources, and is neither used nor downloaded."""
    monkeypatch.setattr(engines, "INSTALLER", "http://127.0.0.1:1")
    engines.MARK.write_text(f"{Engine.STAND_IN} lab")
    assert engines.choose(None, engines.claim("lab"), may_install=True) == (Engine.STAND_IN, None)
    path = put_on_path(fake_pulumi(tmp_path / "bin"), monkeypatch)
    assert engines.choose(None, engines.claim("lab"), may_install=True) == (Engine.STAND_IN, None)
    engines.MARK.write_text(f"{Engine.PULUMI} lab")
    assert engines.choose(None, engines.claim("lab"), may_install=True) == (Engine.PULUMI, path)


def test_a_pulumi_that_is_gone_is_an_error_while_the_lab_holds_what_it_made(
    installer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version might not read its state, so none is downloaded."""
    monkeypatch.setattr(engines, "INSTALLER", installer)
    engines.MARK.write_text(f"{Engine.PULUMI} lab")
    with pytest.raises(UserError, match="it created the lab's resources"):
        engines.choose(None, engines.claim("lab"), may_install=True)
    assert not engines.INSTALL_ROOT.exists()


@pytest.mark.parametrize("command", ["preview", "destroy", "up"])
def test_only_an_up_installs_pulumi(installer: str, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """This holds although a user watches."""
    monkeypatch.setattr(engines, "INSTALLER", installer)
    monkeypatch.setattr(engines, "is_interactive", lambda: True)
    monkeypatch.setattr(deploy, "run_stand_in", lambda *_: 0)
    monkeypatch.setattr(deploy, "run_pulumi", lambda *_: 0)
    monkeypatch.setattr(pulumi_backend, "prepare", lambda *_: None)
    assert CliRunner().invoke(deploy.app, [command]).exit_code == 0
    assert engines.INSTALL_ROOT.exists() == (command == "up")


@pytest.mark.parametrize("command", ["preview", "destroy", "up"])
def test_without_a_lab_it_says_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """It creates neither a state nor a mark, and prints no traceback."""
    monkeypatch.setattr(deploy, "existing", tuple)
    result = CliRunner().invoke(deploy.app, [command])
    assert result.exit_code == 2
    assert "error: The lab is down\nRun: make up" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's other commands print the same error."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = CliRunner().invoke(deploy.app, ["preview"])
    assert result.exit_code == 2
    assert "error: The lab needs root" in result.stderr


@pytest.mark.parametrize(
    ("content", "named"),
    [(None, "There is no stack lab: "), ("a: [", "is not YAML, line 1"), ("", "has no mapping 'config'")],
)
def test_a_stack_file_that_cannot_be_read_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, named: str
) -> None:
    """The user reads the error without a traceback."""
    root = home.parent / "root"
    root.mkdir()
    if content is not None:
        (root / "Pulumi.lab.yaml").write_text(content)
    monkeypatch.setattr(stacks, "ROOT", root)
    put_on_path(fake_pulumi(home.parent / "bin", f"echo 'encryptionsalt: {SALT}' > Pulumi.lab.yaml"), monkeypatch)
    result = CliRunner().invoke(deploy.app, ["preview"])
    assert result.exit_code == 2
    assert named in result.stderr
    assert "Traceback" not in result.stderr


def test_a_person_gets_pulumi_from_its_installer(installer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The installer runs once, with the pinned version and the project's folder."""
    monkeypatch.setattr(engines, "INSTALLER", installer)
    assert engines.PULUMI_VERSION in INSTALL_FOLDER
    path, _ = engines.find_pulumi(may_install=True)
    assert path == str(engines.INSTALL_ROOT / "bin" / "pulumi")
    assert engines.PULUMI_VERSION in Path(path).read_text()
    monkeypatch.setattr(engines, "INSTALLER", "http://127.0.0.1:1")
    assert engines.find_pulumi(may_install=True)[0] == path


@pytest.mark.parametrize("suffix", ["/gone", ""])
def test_an_installer_that_fails_leads_to_the_stand_in(
    installer: str, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """The failures are a missing page, and a script that cannot write."""
    monkeypatch.setattr(engines, "INSTALLER", installer + suffix)
    monkeypatch.setattr(engines, "INSTALL_ROOT", Path("/proc/no-such-folder"))
    path, reason = engines.find_pulumi(may_install=True)
    assert path is None
    assert "its installer failed" in reason


def test_ci_is_no_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """This holds even at a terminal."""
    monkeypatch.undo()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setenv("CI", "true")
    assert not engines.is_interactive()


def test_pulumi_that_is_asked_for_and_not_there_is_an_error() -> None:
    """The stand-in never replaces it without notice."""
    with pytest.raises(UserError, match=r"Pulumi is required \(requested\)"):
        engines.choose(Engine.PULUMI, engines.claim("lab"), may_install=False)


def test_one_engine_does_not_touch_what_the_other_made() -> None:
    """Its state does not contain the other's resources."""
    engines.MARK.write_text(f"{Engine.PULUMI} lab")
    with pytest.raises(UserError) as error:
        engines.choose(Engine.STAND_IN, engines.claim("lab"), may_install=True)
    assert "ENGINE=pulumi" in error.value.remedy


def test_the_passphrase_is_made_once_and_is_its_owners_alone(home: Path) -> None:
    """Without the passphrase the state cannot be read."""
    pulumi = fake_pulumi(home.parent / "bin", f"echo 'encryptionsalt: {SALT}' >> Pulumi.lab.yaml")
    cli = pulumi_backend.prepare(str(pulumi), stacks.read_stack("lab"), 2)
    first = pulumi_backend.PASSPHRASE.read_text()
    assert stat.S_IMODE(pulumi_backend.PASSPHRASE.stat().st_mode) == 0o600
    pulumi_backend.prepare(str(pulumi), stacks.read_stack("lab"), 2)
    assert pulumi_backend.PASSPHRASE.read_text() == first
    assert first not in repr(cli)


def test_what_pulumis_plugins_leave_behind_is_inside_the_lab_and_goes_with_the_next_run(home: Path) -> None:
    """They leave kubeconfigs with keys in the folder for temporary files."""
    pulumi = fake_pulumi(home.parent / "bin", f"echo 'encryptionsalt: {SALT}' > Pulumi.lab.yaml; touch $TMPDIR/key")
    for _ in range(2):
        cli = pulumi_backend.prepare(str(pulumi), stacks.read_stack("lab"), 2)
        temporary = Path(cli.environment["TMPDIR"])
        assert temporary.is_relative_to(home)
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o700
        assert [path.name for path in temporary.iterdir()] == ["key"]
        (temporary / "stale").touch()


def test_pulumis_home_goes_with_the_lab_and_shares_the_users_plugins(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Pulumi cannot write logs there, which would be most of its work."""
    pulumi = fake_pulumi(home.parent / "bin", f"echo 'encryptionsalt: {SALT}' > Pulumi.lab.yaml")
    for users in (tmp_path / "ones", tmp_path / "anothers"):
        monkeypatch.setenv("PULUMI_HOME", str(users))
        environment = pulumi_backend.prepare(str(pulumi), stacks.read_stack("lab"), 2).environment
        own = Path(environment["PULUMI_HOME"])
        assert own.is_relative_to(home)
        assert (own / "plugins").resolve() == users / "plugins"
        assert [path.name for path in users.iterdir()] == ["plugins"]
        with pytest.raises(FileExistsError):
            (own / "logs").mkdir(parents=True, exist_ok=True)


def test_no_metadata_is_kept_beside_the_state(home: Path) -> None:
    """A kill between the two writes leaves empty metadata, with which Pulumi reads no state at all."""
    pulumi = fake_pulumi(home.parent / "bin", f"echo 'encryptionsalt: {SALT}' > Pulumi.lab.yaml")
    assert (
        pulumi_backend.prepare(str(pulumi), stacks.read_stack("lab"), 2).environment["PULUMI_BACKEND_URL"]
        == f"file://{home}?metadata=skip"
    )


def test_the_salt_stays_out_of_the_checkout(home: Path) -> None:
    """Pulumi writes it into the stack's file of its own project, which also has the lab's config."""
    tracked = (stacks.ROOT / "Pulumi.lab.yaml").read_text()
    pulumi = fake_pulumi(home.parent / "bin", f"echo 'encryptionsalt: {SALT}' > Pulumi.lab.yaml")
    cli = pulumi_backend.prepare(str(pulumi), stacks.read_stack("lab"), 2)
    assert cli.config_file is not None
    assert yaml.safe_load(cli.config_file.read_text()) == {**yaml.safe_load(tracked), "encryptionsalt": SALT}
    assert (stacks.ROOT / "Pulumi.lab.yaml").read_text() == tracked


def test_a_pulumi_that_cannot_make_the_stack_is_named(home: Path) -> None:
    """The error contains the remedy and no traceback."""
    pulumi = fake_pulumi(home.parent / "bin", "exit 7")
    with pytest.raises(UserError, match="stack select"):
        pulumi_backend.prepare(str(pulumi), stacks.read_stack("lab"), 2)


def test_the_stand_in_takes_a_refresh_and_a_diff_for_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that repairs changes in a cluster is the same on both engines."""
    called: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        called.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    run_stand_in(Command.UP, stacks.read_stack("lab"), ["--diff", "--refresh", "--json"], 3)
    assert called[0][1:] == ["-m", "lab.standin", "up", "--stack", "lab", "--json"]


def test_a_deployment_may_differ_from_the_stack_file_on_both_engines(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each engine gets the changed value, and the file stays as it is."""
    tracked = (stacks.ROOT / "Pulumi.lab.yaml").read_text()
    stack = stacks.read_stack("lab").configured({"v2Weight": 20}).configured({"audiences": []})
    pulumi = fake_pulumi(home.parent / "bin", f"echo 'encryptionsalt: {SALT}' > Pulumi.lab.yaml")
    cli = pulumi_backend.prepare(str(pulumi), stack, 2)
    assert cli.config_file is not None
    config = yaml.safe_load(tracked)["config"]
    assert yaml.safe_load(cli.config_file.read_text())["config"] == {
        **config,
        "mcsps:v2Weight": 20,
        "mcsps:audiences": [],
    }
    called: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        called.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    run_stand_in(Command.UP, stack, [], 3)
    assert called[0][4:] == ["--stack", "lab", "--config", "mcsps:v2Weight=20", "--config", "mcsps:audiences=[]"]
    assert (stacks.ROOT / "Pulumi.lab.yaml").read_text() == tracked


@pytest.mark.parametrize("engine", Engine)
def test_who_holds_the_lab_may_deploy_and_choose_where_the_output_goes(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: Engine
) -> None:
    """Standard output then contains no engine output, and the mark contains the engine."""
    seen: list[int | None] = []
    pulumi = fake_pulumi(home.parent / "bin", f"echo 'encryptionsalt: {SALT}' > Pulumi.lab.yaml")
    monkeypatch.setenv("PATH", f"{pulumi.parent}:/usr/bin:/bin")

    def run_pulumi(cli: PulumiCli, *_: object) -> int:
        seen.append(cli.output)
        return 5

    def run_stand_in(*arguments: int) -> int:
        seen.append(arguments[-1])
        return 5

    monkeypatch.setattr(deploy, "run_pulumi", run_pulumi)
    monkeypatch.setattr(deploy, "run_stand_in", run_stand_in)
    with (tmp_path / "output").open("w") as output, lock.held() as descriptor:
        stack = stacks.read_stack("lab")
        assert deploy.deploy(Command.UP, stack, engine, [], descriptor, output.fileno()) == 5
        assert seen == [output.fileno()]
    assert engines.MARK.read_text() == f"{engine} lab"


def test_what_the_engine_is_to_do_reaches_it_as_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown options go to the engine with their values and in order, and its exit code is returned."""
    given: list[list[str]] = []

    def run(_command: Command, _stack: stacks.LabStack, arguments: list[str], *_: object) -> int:
        given.append(arguments)
        return 7

    monkeypatch.setattr(deploy, "run_stand_in", run)
    options = ["--diff", "--policy-pack", "policies", "--expect-no-changes"]
    result = CliRunner().invoke(deploy.app, ["preview", "--engine", "stand-in", *options])
    assert (result.exit_code, given) == (7, [options])


@pytest.fixture
def rancher(tmp_path: Path) -> Path:
    """Set up a lab with a Rancher; return the file of its administrator's token."""
    place = tmp_path / "rancher"
    place.mkdir()
    (place / "admin-token").write_text("token-abc12:fake")
    (place / "config.yaml").touch()
    return place / "admin-token"


def test_a_stack_that_needs_a_rancher_gets_its_token_as_a_secret(home: Path, rancher: Path) -> None:
    """Pulumi's command reads it from standard input, so that no process list contains it."""
    text = f"cat >> given; echo \"$@\" >> asked; echo 'encryptionsalt: {SALT}' >> Pulumi.lab-rancher.yaml"
    pulumi = fake_pulumi(home.parent / "bin", text)
    pulumi_backend.prepare(str(pulumi), stacks.read_stack("lab-rancher"), 2)
    assert (home / "given").read_text() == rancher.read_text()
    assert (home / "asked").read_text().splitlines() == [
        "stack select lab-rancher --create --non-interactive",
        "config set --secret mcsps:rancherToken --stack lab-rancher --non-interactive",
    ]


def test_the_stand_in_is_told_where_the_token_is(rancher: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The arguments contain the file and not the token, because every user can read them."""
    called: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        called.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    run_stand_in(Command.PREVIEW, stacks.read_stack("lab-rancher"), [], 3)
    assert called[0][4:] == ["--stack", "lab-rancher", "--secret", f"mcsps:rancherToken={rancher}"]


def test_a_stack_that_needs_a_rancher_says_how_to_have_one() -> None:
    """The error comes before the choice of an engine."""
    with pytest.raises(UserError, match="needs a Rancher server, and the lab has none") as error:
        stacks.read_stack("lab-rancher")
    assert error.value.remedy == "Run: python -m lab up --rancher"


@pytest.mark.parametrize(
    ("name", "error"), [("mcsps-test", "not a stack of the lab"), ("lab-none", "There is no stack")]
)
def test_a_stack_that_is_none_of_the_labs_is_refused(name: str, error: str) -> None:
    """The lab's engines and backend are only for the lab."""
    result = CliRunner().invoke(deploy.app, ["preview", "--stack", name])
    assert result.exit_code == 2
    assert error in result.stderr


def test_one_stack_does_not_touch_what_another_made(rancher: Path) -> None:
    """Both stacks have the same objects in the same clusters."""
    del rancher  # only its setup is needed
    engines.MARK.write_text(f"{Engine.STAND_IN} lab")
    result = CliRunner().invoke(deploy.app, ["up", "--stack", "lab-rancher"])
    assert result.exit_code == 2
    assert "The lab holds stack lab" in result.stderr
    assert "python -m lab.deploy destroy --stack lab" in result.stderr
    assert engines.MARK.read_text() == f"{Engine.STAND_IN} lab"
