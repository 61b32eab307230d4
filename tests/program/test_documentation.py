"""What Pulumi.yaml says about config is what the program reads."""

from typing import Any

import yaml

from config.schema import Settings
from config.secrets import SECRET_KEYS
from tests.support.stacks import ROOT

TEXT = (ROOT / "Pulumi.yaml").read_text()
PROJECT: dict[str, Any] = yaml.safe_load(TEXT)
DECLARED: dict[str, dict[str, Any]] = PROJECT["config"]
FIELDS = {str(info.alias): info for info in Settings.model_fields.values()}


def test_every_key_is_declared_and_no_other() -> None:
    """Pulumi itself then refuses what is missing. Secrets cannot be declared without a default: text names them."""
    assert DECLARED.keys() == FIELDS.keys()
    assert [key for key in SECRET_KEYS if f"secret {key}" not in " ".join(TEXT.split())] == []


def test_what_has_no_default_is_required() -> None:
    """In Pulumi's eyes as in the program's."""
    required = {key for key, info in FIELDS.items() if info.is_required()}
    assert {key for key, declared in DECLARED.items() if "default" not in declared} == required


def test_stack_files_use_declared_keys_alone() -> None:
    """A key that is not declared would go unchecked by Pulumi."""
    for path in ROOT.glob("Pulumi.*.yaml"):
        keys = {key for key in yaml.safe_load(path.read_text())["config"] if key.startswith("mcsps:")}
        assert keys <= {f"mcsps:{key}" for key in (*DECLARED, *SECRET_KEYS)}, path.name
