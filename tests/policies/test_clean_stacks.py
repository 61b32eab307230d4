"""Correct resources of other teams pass the whole pack, alone and together with this program's resources."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from policies.rules import POLICIES
from tests.support.bad_config import put
from tests.support.policies import Finding, Made, from_data, judge, recorded
from tests.support.runs import Runs
from tests.support.stacks import LAB

FOLDER = Path(__file__).with_name("clean_stacks")
STACKS = sorted(FOLDER.glob("*.yaml"))
TRUST = "mcsps:index:MeshTrust"
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
HARMLESS = {"rancher2:index/project:Project", "rancher2:index/user:User", "tls:index/privateKey:PrivateKey"}
"""The types that no rule judges."""
COMPONENTS = {"kubernetes:yaml/v2:ConfigGroup"}
"""The types of components, which the pack judges by their objects."""


def read(stack: Path) -> list[Made]:
    """Read one stack, and check that its names are unique."""
    made = [from_data(given) for given in yaml.safe_load(stack.read_text())]
    assert made
    assert len({found.urn for found in made}) == len(made)
    return made


def judged(resources: Sequence[Made]) -> list[Finding]:
    """Return the findings of the whole pack."""
    return [found for policy in POLICIES for found in judge(policy, *resources)]


def spoiled(made: Made) -> list[Made]:
    """Return the resource once for each way in which resources of its kind can be wrong."""
    return [
        replace(made, provider=None, inputs=put(made.inputs, ("values",), {"key": "postgres://me:horse-battery@db"})),
        replace(made, under=TRUST, protect=False),
        *(
            replace(made, inputs=put(made.inputs, (key,), value))
            for key, value in (
                ("ttl", 0),
                ("rules", [EVERYTHING]),
                ("roleTemplateId", "cluster-owner"),
                ("globalRoleId", "admin"),
                ("clusterIdentifier", ""),
            )
        ),
    ]


def test_there_are_at_least_twenty() -> None:
    """The test fails if the path of the folder is wrong."""
    assert len(STACKS) >= 20


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
def test_a_clean_stack_passes_the_whole_pack(stack: Path) -> None:
    """The pack reports neither a violation nor a warning."""
    assert judged(read(stack)) == []


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
def test_the_pack_sees_each_resource_of_a_clean_stack(stack: Path) -> None:
    """The pack refuses every spoiled copy, so a clean stack does not pass because no rule judges it."""
    resources = [made for made in read(stack) if made.type not in HARMLESS | COMPONENTS]
    assert resources
    for made in resources:
        assert any(judged([wrong]) for wrong in spoiled(made)), made.name


def test_clean_stacks_pass_beside_this_program_s_own(runs: Runs) -> None:
    """Both are in the same clusters. A clean stack's cluster-wide policy may resolve a warning about the program."""
    own = recorded(runs(LAB))
    theirs = [replace(made, name=f"{stack.stem}-{made.name}") for stack in STACKS for made in read(stack)]
    expected = judged(own)
    assert [found for found in judged([*own, *theirs]) if found not in expected] == []
