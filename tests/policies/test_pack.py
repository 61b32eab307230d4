"""The pack starts in the way in which Pulumi starts it, and describes itself correctly."""

import inspect
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy import EnforcementLevel, Policy

from policies import rules
from policies.lib import exceptions
from policies.rules import POLICIES, root_ca_validity, routes_equal
from recorder.registrations import STACK_TYPE
from tests.support.policies import Made, judge
from tests.support.recording import NAMESPACE, RANCHER_TOKEN
from tests.support.stacks import ROOT

FOLDER = ROOT / "policies"
TOKEN_RULE = "mcsps-access-rancher-token-bounds"  # noqa: S105 - a rule
BLOCK = r'^```json\n(\{\s+"mcsps-.*?)^```'
ADVISORY = {"mcsps-eastwest-source-ranges", "mcsps-exceptions", "mcsps-namespaces-network-policy"}


@pytest.fixture(scope="module")
def analyzer() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """Start the pack in a separate process by the SDK's module, as Pulumi's plugin for Python does."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."]
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        assert process.stdout
        port = process.stdout.readline().strip()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
        process.terminate()


def token(**inputs: str) -> analyzer_pb2.AnalyzeRequest:
    """Return the engine's request to analyze a Rancher token."""
    properties = struct_pb2.Struct()
    properties.update(inputs)
    urn = f"urn:pulumi:test::mcsps::{RANCHER_TOKEN}::token"
    return analyzer_pb2.AnalyzeRequest(type=RANCHER_TOKEN, urn=urn, name="token", properties=properties)


def test_the_pack_tells_its_rules(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    """The list has the level, the parameters and the remediation steps of each policy."""
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    assert info.name == "mcsps"
    assert [found.name for found in info.policies] == [policy.name for policy in POLICIES]
    assert {found.name for found in info.policies if found.enforcementLevel == analyzer_pb2.ADVISORY} == ADVISORY
    others = {found.enforcementLevel for found in info.policies if found.name not in ADVISORY}
    assert others == {analyzer_pb2.MANDATORY}
    assert all(found.remediation_steps for found in info.policies)


def test_the_pack_judges_by_its_config(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    """Unknown values pass without a message."""
    analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest())
    (found,) = analyzer.Analyze(token(clusterId="c-f7r9g")).diagnostics
    assert found.policyName == TOKEN_RULE
    assert found.enforcementLevel == analyzer_pb2.MANDATORY
    assert "To fix it, set cluster_id to the id of its cluster and ttl" in found.message
    assert not analyzer.Analyze(token(clusterId=rpc.UNKNOWN, ttl=rpc.UNKNOWN)).diagnostics
    advised = analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.ADVISORY)
    analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig={TOKEN_RULE: advised}))
    (found,) = analyzer.Analyze(token(clusterId="c-f7r9g")).diagnostics
    assert found.enforcementLevel == analyzer_pb2.ADVISORY


def test_the_pack_shows_an_exception_as_a_warning(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    """The warning is about the object, gives the reason, and comes at the end of the run."""
    properties = struct_pb2.Struct()
    properties.update({"exceptions": [{"object": "Token token", "reason": "it is rotated by hand"}]})
    mandatory = analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.MANDATORY, properties=properties)
    analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig={TOKEN_RULE: mandatory}))
    asked = token(clusterId="c-f7r9g")
    assert not analyzer.Analyze(asked).diagnostics
    resource = analyzer_pb2.AnalyzerResource(
        type=asked.type, urn=asked.urn, name=asked.name, properties=asked.properties
    )
    (found,) = analyzer.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=[resource])).diagnostics
    assert (found.policyName, found.urn) == ("mcsps-exceptions", asked.urn)
    assert found.enforcementLevel == analyzer_pb2.ADVISORY
    assert f"Token token is excepted from {TOKEN_RULE}: it is rotated by hand." in found.message


@pytest.mark.parametrize("policy", [root_ca_validity.POLICY, routes_equal.POLICY], ids=["resources", "stacks"])
def test_an_unknown_parameter_is_refused_once(policy: Policy) -> None:
    """The engine ignores an unknown parameter, so without this error the rule would use its default."""
    resources = (Made(type=STACK_TYPE, name="stack"), Made(type=NAMESPACE))
    (found,) = judge(policy, *resources, maxRootValidtyHours=1)
    assert policy.config_schema
    allowed = policy.config_schema.properties
    told = f"The policy config of {policy.name} has an unknown parameter 'maxRootValidtyHours'"
    hint = "; did you mean 'maxRootValidityHours'?" if "maxRootValidityHours" in allowed else "."
    assert found.message == f"{told}{hint} Allowed: {', '.join(allowed)}"


def test_the_pack_is_mandatory_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the policies of `ADVISORY` set another level."""
    told: dict[str, object] = {}
    monkeypatch.setattr("pulumi_policy.PolicyPack", lambda name, **given: told.update(given, name=name))
    runpy.run_path(str(FOLDER), run_name="__main__")
    assert told["name"] == "mcsps"
    assert told["enforcement_level"] is EnforcementLevel.MANDATORY
    assert {policy.name for policy in POLICIES if policy.enforcement_level is EnforcementLevel.ADVISORY} == ADVISORY


def test_every_rule_is_in_the_pack() -> None:
    """Each module has one policy, and each policy has its own name."""
    modules = {path.stem for path in (FOLDER / "rules").glob("*.py")} - {"__init__"}
    policies = [getattr(rules, name).POLICY for name in sorted(modules)]
    assert {id(policy) for policy in (*policies, exceptions.POLICY)} == {id(policy) for policy in POLICIES}
    assert len({policy.name for policy in POLICIES}) == len(modules) + 1
    for name in modules:
        assert inspect.getdoc(getattr(rules, name)), name


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_every_rule_says_what_it_is(policy: Policy) -> None:
    """The name has the pack's prefix, the description is a sentence, and each parameter has a text and a default."""
    assert re.fullmatch(r"mcsps(-[a-z]+)+", policy.name)
    assert re.fullmatch(r"[A-Z].+\.", policy.description)
    schema = policy.config_schema
    for parameter in schema.properties.values() if schema else ():
        assert parameter.keys() >= {"default", "description", "type"}


def test_the_pack_runs_in_the_project_s_virtual_environment() -> None:
    """The pack needs no installation of its own."""
    options = yaml.safe_load((FOLDER / "PulumiPolicy.yaml").read_text())["runtime"]["options"]
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["runtime"]["options"]
    assert (FOLDER / options["virtualenv"]).resolve() == (ROOT / project["virtualenv"]).resolve()


def test_a_policy_config_in_the_documentation_is_one() -> None:
    """The policies, levels and parameters of the config exist."""
    files = (ROOT / "README.md", *(ROOT / "docs" / "guide").glob("*.md"))
    blocks = [block for file in files for block in re.findall(BLOCK, file.read_text(), re.MULTILINE | re.DOTALL)]
    assert blocks
    schemas = {policy.name: policy.config_schema for policy in POLICIES}
    for name, given in (item for block in blocks for item in json.loads(block).items()):
        schema = schemas[name]
        parameters = set(schema.properties) if schema else set()
        told = {"enforcementLevel": given} if isinstance(given, str) else given
        assert told.keys() <= {"enforcementLevel", *parameters}
        assert told.get("enforcementLevel", "mandatory") in {level.value for level in EnforcementLevel}
