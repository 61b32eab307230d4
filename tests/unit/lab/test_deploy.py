"""Which engine carries the program out on the lab, and what Pulumi is given."""

import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from lab import deploy
from lab.deploy import Engine
from lab.errors import LabError

SALT = "v1:made:up"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Pulumi, and a lab's folder of the test's own."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(deploy, "INSTALL_ROOT", tmp_path / "tools")
    monkeypatch.setattr(deploy, "HOME", tmp_path / "home")
    monkeypatch.setattr(deploy, "PASSPHRASE", tmp_path / "home" / "passphrase")
    monkeypatch.setattr(deploy, "MARK", tmp_path / "mark")
    monkeypatch.setattr(deploy, "a_person_is_there", lambda: False)
    return tmp_path / "home"


@pytest.fixture
def installer() -> Iterator[str]:
    """A web server with a script that installs a Pulumi that says its version."""
    script = b"""#!/bin/sh
mkdir -p "$4/bin" && printf '#!/bin/sh\necho %s' "$2" >"$4/bin/pulumi" && chmod +x "$4/bin/pulumi"
"""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            self.end_headers()
            self.wfile.write(script)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def fake_pulumi(folder: Path, text: str = "exit 0") -> Path:
    """An executable named pulumi."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_without_pulumi_and_without_a_person_the_stand_in_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is fetched, and it says which engine runs and why."""
    assert deploy.choose(None) == (Engine.STAND_IN, None)
    assert "engine: stand-in (pulumi is not on the PATH" in capsys.readouterr().err


def test_pulumi_on_the_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a package manager put it."""
    path = fake_pulumi(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    assert deploy.choose(None) == (Engine.PULUMI, str(path))


def test_a_person_gets_pulumi_from_its_installer(installer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the pinned version, into the project's own folder, and once."""
    monkeypatch.setattr(deploy, "INSTALLER", installer)
    path, _ = deploy.find_pulumi(may_install=True)
    assert path == str(deploy.INSTALL_ROOT / "bin" / "pulumi")
    assert deploy.PULUMI_VERSION in Path(path).read_text()
    monkeypatch.setattr(deploy, "INSTALLER", "http://127.0.0.1:1")
    assert deploy.find_pulumi(may_install=True)[0] == path


@pytest.mark.parametrize("suffix", ["/gone", ""])
def test_an_installer_that_fails_leads_to_the_stand_in(
    installer: str, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """A page that is not there, and a script that cannot write."""
    monkeypatch.setattr(deploy, "INSTALLER", installer + suffix)
    monkeypatch.setattr(deploy, "INSTALL_ROOT", Path("/proc/no-such-folder"))
    path, reason = deploy.find_pulumi(may_install=True)
    assert path is None
    assert "its installer failed" in reason


def test_ci_is_no_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even at a terminal."""
    monkeypatch.undo()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setenv("CI", "true")
    assert not deploy.a_person_is_there()


def test_pulumi_that_is_asked_for_and_not_there_is_an_error() -> None:
    """The stand-in is never taken for it in silence."""
    with pytest.raises(LabError, match="Pulumi was asked for"):
        deploy.choose(Engine.PULUMI)


def test_one_engine_does_not_touch_what_the_other_made() -> None:
    """Its state knows nothing of it."""
    deploy.MARK.write_text(Engine.PULUMI)
    with pytest.raises(LabError) as error:
        deploy.choose(Engine.STAND_IN)
    assert "--engine pulumi" in error.value.remedy


def test_the_passphrase_is_made_once_and_is_its_owners_alone(home: Path) -> None:
    """Without it the state could not be read any more."""
    pulumi = fake_pulumi(home.parent / "bin", f"echo 'encryptionsalt: {SALT}' >> Pulumi.lab.yaml")
    cli = deploy.pulumi_for_lab(str(pulumi), 2)
    first = deploy.PASSPHRASE.read_text()
    assert stat.S_IMODE(deploy.PASSPHRASE.stat().st_mode) == 0o600
    deploy.pulumi_for_lab(str(pulumi), 2)
    assert deploy.PASSPHRASE.read_text() == first
    assert first not in repr(cli)


def test_the_salt_stays_out_of_the_checkout(home: Path) -> None:
    """Pulumi writes it into the stack's file, and reads the lab's config with it."""
    tracked = (deploy.ROOT / "Pulumi.lab.yaml").read_text()
    pulumi = fake_pulumi(home.parent / "bin", f"echo 'encryptionsalt: {SALT}' > Pulumi.lab.yaml")
    cli = deploy.pulumi_for_lab(str(pulumi), 2)
    assert cli.config_file is not None
    assert yaml.safe_load(cli.config_file.read_text()) == {**yaml.safe_load(tracked), "encryptionsalt": SALT}
    assert (deploy.ROOT / "Pulumi.lab.yaml").read_text() == tracked


def test_a_pulumi_that_cannot_make_the_stack_is_named(home: Path) -> None:
    """With the way out, and without a traceback."""
    pulumi = fake_pulumi(home.parent / "bin", "exit 7")
    with pytest.raises(LabError, match="stack select"):
        deploy.pulumi_for_lab(str(pulumi), 2)
