"""What the README names is there, and what it says of the program is what the program says."""

import re
import shlex

import pytest
import yaml

from config.parsing import parse
from config.schema import Installer
from lab.cli import app as lab
from lab.preflight import PACKAGES
from lab.spec import clusters
from ops.__main__ import app as ops
from tests.support.stacks import LAB, RANCHER, ROOT, load_values

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TOOLS = {"lab": lab, "ops": ops}
ON_EVERY_DEBIAN = {"mount", "util-linux"}
YAML_BLOCKS = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)]
TABLES = {tuple(row.strip("| ").split(" | ")) for row in README.splitlines() if row.startswith("| ")}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z0-9]+)\b", README)) - {"it", "openssl"}))
def test_every_make_target_is_one(target: str) -> None:
    """And says what it is for in `make help`."""
    assert re.search(rf"^{target}:.*## ", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("target", re.findall(r"^([a-z0-9]+):.*## ", MAKEFILE, re.MULTILINE))
def test_every_make_target_is_in_the_table_of_commands(target: str) -> None:
    """But for the one that lists them itself."""
    assert target == "help" or [row for row in TABLES if row[0] == f"`make {target}`"]


def test_every_workflow_is_in_the_table_of_workflows() -> None:
    """And no other."""
    there = {f"`{path.name}`" for path in (ROOT / ".github" / "workflows").iterdir()}
    assert {row[0] for row in TABLES if row[0].endswith(".yaml`")} == there


@pytest.mark.parametrize(("tool", "command"), sorted(set(re.findall(r"python -m (lab|ops)\s+([a-z]+)", README))))
def test_every_command_is_one(tool: str, command: str) -> None:
    """Of the tool that it is said to be of."""
    known = {info.name or (info.callback.__name__ if info.callback else "") for info in TOOLS[tool].registered_commands}
    assert command in known


def test_the_packages_are_all_that_the_lab_and_ci_need() -> None:
    """On a Debian that has no more than every Debian has."""
    (line,) = re.findall(r"^    apt-get install (?:--\S+ )*(.+)$", README, re.MULTILINE)
    ci = (ROOT / ".ci" / "run").read_text()
    in_ci = re.findall(r"^    \[\S+\]=(\S+)$", ci, re.MULTILINE) + re.findall(r"lacking\+=\(([a-z0-9-]+)\)", ci)
    assert {"containernetworking-plugins", "python3-venv"} <= set(in_ci), "CI's list is not read right"
    assert (set(in_ci) | set(PACKAGES.values())) - ON_EVERY_DEBIAN <= set(shlex.split(line))


def test_the_third_cluster_is_where_the_lab_makes_it() -> None:
    """By its name, and at its kubeconfig's path; it fits beside the other two."""
    (third,) = YAML_BLOCKS[0]
    spec = clusters(3)[2]
    assert (third["name"], third["access"]["path"]) == (spec.name, str(spec.kubeconfig))
    values = load_values(LAB)
    assert len(parse({**values, "clusters": [*values["clusters"], third]}).clusters) == 3


def test_audiences_and_a_locality_are_written_as_they_are_read() -> None:
    """In a stack whose clusters all have that locality."""
    _, _, written, locality = YAML_BLOCKS
    values = load_values(LAB)
    clusters = [{**cluster, **locality} for cluster in values["clusters"]]
    parsed = parse({**values, "clusters": clusters, "audiences": written["mcsps:audiences"]})
    assert [audience.name for audience in parsed.audiences] == ["test-team", "europe"]
    assert parsed.regions == ("eu",)


def test_the_config_for_the_operator_is_taken_and_its_version_is_that_of_the_command() -> None:
    """In place of what the stack file says of Istio."""
    istio = YAML_BLOCKS[1]["mcsps:istio"]
    assert parse({**load_values(RANCHER), "istio": istio}).istio.installer is Installer.OPERATOR
    assert f"istioctl operator init --tag {istio['tag']}" in README


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:docs|lab|tests|components|ops|bench)/[\w./-]*|\w+\.py)`", README)))
)
def test_every_path_is_there(path: str) -> None:
    """Folders and files alike."""
    assert (ROOT / path).exists()
