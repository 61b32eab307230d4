"""What Pulumi.yaml says about config is what the program reads."""

import re
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from settings import SECRET_KEYS, Settings
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


@pytest.mark.parametrize("key", FIELDS)
def test_a_keys_description_names_all_that_is_below_it(key: str) -> None:
    """By the name that a stack file uses."""
    words = set(re.findall(r"\w+", DECLARED[key]["description"]))
    missing = [name for model in models(FIELDS[key].annotation) for name in aliases(model) if name not in words]
    assert missing == []


def models(annotation: object) -> list[type[BaseModel]]:
    """The sections within a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models(part)]


def aliases(model: type[BaseModel]) -> list[str]:
    """A section's keys as stack files write them."""
    return [str(info.alias) for info in model.model_fields.values()]


def test_stack_files_use_declared_keys_alone() -> None:
    """A key that is not declared would go unchecked by Pulumi."""
    for path in ROOT.glob("Pulumi.*.yaml"):
        keys = {key for key in yaml.safe_load(path.read_text())["config"] if key.startswith("mcsps:")}
        assert keys <= {f"mcsps:{key}" for key in (*DECLARED, *SECRET_KEYS)}, path.name
