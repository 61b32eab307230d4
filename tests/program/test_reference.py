"""The generated reference is up to date, and its JSON Schema accepts the stack files."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
import yaml

from docs.generate.files import generate
from docs.generate.schema import resolve, settings_schema
from tests.support.bad_config import ABSENT, Place, put
from tests.support.leaks import fake_secret
from tests.support.stacks import ROOT

GENERATED = generate()
SCHEMA = json.loads(GENERATED["docs/reference/config.schema.json"])
STACK_FILES = sorted(path.name for path in ROOT.glob("Pulumi.*.yaml"))
CONFIG = "config"
CLUSTERS = (CONFIG, "mcsps:clusters")
SECURE = {"secure": "v1:abc:def"}

GOOD: dict[str, tuple[Place, object]] = {
    "a secret": ((CONFIG, "mcsps:rancherToken"), SECURE),
    "a weight as `pulumi config set` writes it": ((CONFIG, "mcsps:v2Weight"), "50"),
    "Pulumi's own keys": ((CONFIG, "pulumi:tags"), {"team": "mesh"}),
    "what Pulumi adds to the file": (("encryptionsalt",), "v1:salt"),
    "a chart's values": ((CONFIG, "mcsps:istio", "values"), {"istiod": {"anything": [1, {"at": "all"}]}}),
    "access by Rancher": ((*CLUSTERS, 0, "access"), {"kind": "rancher", "clusterId": "local"}),
}
BAD: dict[str, tuple[Place, object]] = {
    "an unknown key": ((CONFIG, "mcsps:colour"), 1),
    "an unknown key inside": ((CONFIG, "mcsps:mesh", "colour"), 1),
    "a key in Python's spelling": ((CONFIG, "mcsps:mesh", "trust_domain"), "mesh.example"),
    "a key without its prefix": ((CONFIG, "v2Weight"), 50),
    "an unknown key beside the config": (("colour",), 1),
    "a missing section": ((CONFIG, "mcsps:mesh"), ABSENT),
    "a missing key": ((*CLUSTERS, 0, "network"), ABSENT),
    "no cluster": (CLUSTERS, []),
    "a weight above its range": ((CONFIG, "mcsps:v2Weight"), 101),
    "a weight that is no number": ((CONFIG, "mcsps:v2Weight"), "half"),
    "a number below its range": ((CONFIG, "mcsps:helloworld", "replicas"), 0),
    "a name that is no label": ((*CLUSTERS, 0, "name"), "East"),
    "a name that is too long": ((*CLUSTERS, 0, "name"), "e" * 49),
    "an unknown version": ((*CLUSTERS, 0, "versions"), ["v3"]),
    "an unknown kind of access": ((*CLUSTERS, 0, "access", "kind"), "ssh"),
    "a key of another kind of access": ((*CLUSTERS, 0, "access", "clusterId"), "local"),
    "a quantity that is none": ((CONFIG, "mcsps:helloworld", "resources"), {"limits": {"cpu": "lots"}}),
    "an address without TLS": ((*CLUSTERS, 0, "peerServer"), "http://east"),
    "a token in plain text": ((CONFIG, "mcsps:rancherToken"), fake_secret("plain")),
    "a secret that must be none": ((CONFIG, "mcsps:mesh", "id"), SECURE),
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_files_are_up_to_date(name: str) -> None:
    """`make docs` writes these files."""
    assert (ROOT / name).read_text() == GENERATED[name], "run `make docs`"


def test_every_config_key_has_a_meaning_that_is_a_sentence() -> None:
    """The reference and editors show the meaning."""
    settings = settings_schema()
    definitions = settings["$defs"]
    found = {
        f"{section}.{key}": str(resolve(schema, definitions).get("description", ""))
        for section, keys in {"": settings, **definitions}.items()
        for key, schema in keys.get("properties", {}).items()
    }
    assert "Rancher.tokenTtlHours" in found
    assert [key for key, meaning in found.items() if not meaning[:1].isupper() or not meaning.endswith(".")] == []


@pytest.mark.parametrize("name", STACK_FILES)
def test_stack_files_are_valid_and_name_the_schema(name: str) -> None:
    """Editors can therefore check the files as well."""
    text = (ROOT / name).read_text()
    assert text.startswith("# yaml-language-server: $schema=docs/reference/config.schema.json\n")
    assert faults(yaml.safe_load(text)) == []


@pytest.mark.parametrize(("place", "value"), GOOD.values(), ids=GOOD.keys())
def test_the_schema_takes_what_pulumi_and_the_program_take(place: Place, value: object) -> None:
    """Pulumi also writes values into stack files."""
    assert faults(put(stack_file(), place, value)) == []


@pytest.mark.parametrize(("place", "value"), BAD.values(), ids=BAD.keys())
def test_the_schema_refuses_what_the_program_refuses(place: Place, value: object) -> None:
    """These are all faults that a single value shows."""
    assert faults(put(stack_file(), place, value)) != []


def stack_file() -> Mapping[str, Any]:
    """Return the lab's stack file, with sections for all values that the cases change."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.lab.yaml").read_text())
    return copy.deepcopy(document)


def faults(document: object) -> list[str]:
    """Return the errors of the schema."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    return [str(error.message) for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(document)]
