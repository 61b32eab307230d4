"""
Pulumi's backend for the lab: local files and a generated passphrase, outside of the checkout.

Owns Pulumi's home, its state and its configuration on the lab.
"""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import yaml
import zstandard

from errors import UserError
from lab.machine import files
from lab.rancher import service
from lab.spec import STATE_DIR
from lab.stacks import NAMESPACE, ROOT, LabStack
from recovery.pulumi_cli import PulumiCli

RANCHER_TOKEN = f"{NAMESPACE}:rancherToken"
HOME = STATE_DIR / "pulumi"
PASSPHRASE = HOME / "passphrase"
TEMPORARY = HOME / "tmp"
"""The folder for temporary files of Pulumi's plugins, which leave kubeconfigs there."""
PULUMI_HOME = HOME / "home"


def prepare(executable: str, stack: LabStack, descriptor: int, output: int | None = None) -> PulumiCli:
    """
    Prepare Pulumi's backend for a stack of the lab, and return Pulumi's command line for it.

    `pulumi stack select --create` writes the salt into the stack's file, so Pulumi gets its own copy of the project.
    """
    # Its files belong to terminated runs, because this process holds the lab.
    shutil.rmtree(TEMPORARY, ignore_errors=True)
    files.make_folder(TEMPORARY)
    _make_pulumi_home()
    if not PASSPHRASE.exists():
        files.write(PASSPHRASE, secrets.token_urlsafe(32))
    environment = {
        **os.environ,
        # Skip the metadata next to each file: a kill leaves it empty, and then the state cannot be read.
        "PULUMI_BACKEND_URL": f"file://{HOME}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(PASSPHRASE),
        # Pulumi writes its whole state at each step.
        "PULUMI_DIY_BACKEND_ZSTD": "true",
        # Pulumi knows the option `--event-log` only with this.
        "PULUMI_DEBUG_COMMANDS": "true",
        "PULUMI_HOME": str(PULUMI_HOME),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "TMPDIR": str(TEMPORARY),
    }
    environment.pop("PULUMI_CONFIG_PASSPHRASE", None)
    (HOME / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "mcsps", "runtime": "python"}))
    config_file = HOME / f"Pulumi.{stack.name}.yaml"
    _run_in_home([executable, "stack", "select", stack.name, "--create"], environment)
    salt = {key: value for key, value in yaml.safe_load(config_file.read_text()).items() if key == "encryptionsalt"}
    # Written in one step: without its salt the state cannot be read.
    files.write(config_file, yaml.safe_dump({**stack.document, **salt}))
    if stack.needs_rancher:
        token = service.PLACE.admin_token.read_text()
        command = [executable, "config", "set", "--secret", RANCHER_TOKEN, "--stack", stack.name]
        _run_in_home(command, environment, token)
    return PulumiCli(
        executable=executable,
        stack=stack.name,
        root=ROOT,
        environment=environment,
        config_file=config_file,
        keeps=(descriptor,),
        output=output,
    )


def state_file(stack: str) -> Path:
    """Return the file with the state of a stack of the lab, compressed by zstd; without a state it does not exist."""
    return HOME / ".pulumi" / "stacks" / NAMESPACE / f"{stack}.json.zst"


def read_state(stack: str) -> bytes:
    """
    Read the state of a stack of the lab: Pulumi's checkpoint, as JSON.

    Raises:
        FileNotFoundError: The stack has no state.
    """
    with zstandard.open(state_file(stack)) as file:
        content: bytes = file.read()
    return content


def _make_pulumi_home() -> None:
    """
    Create a home for Pulumi in the lab's state, with a link to the plugins of the user's home.

    Pulumi logs hundreds of megabytes into the folder `logs` of its home, which is most of a run's work, and no option
    disables it (pulumi/pkg/logging, 3.260). It logs nothing if the folder cannot be created.
    """
    plugins = Path(os.environ.get("PULUMI_HOME", "~/.pulumi")).expanduser() / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    files.make_folder(PULUMI_HOME)
    (PULUMI_HOME / "logs").touch()
    link = PULUMI_HOME / "plugins"
    link.unlink(missing_ok=True)
    link.symlink_to(plugins)


def _run_in_home(command: list[str], environment: dict[str, str], given: str | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - a fixed command without a shell
        [*command, "--non-interactive"],
        cwd=HOME,
        env=environment,
        check=False,
        input=given,
        text=True,
        stdout=subprocess.DEVNULL,
    )
    if done.returncode:
        raise UserError(
            f"`pulumi {' '.join(command[1:])}` failed with exit code {done.returncode}",
            "Read its output above. `make down` removes its state with the lab",
        )
