"""What Pulumi.yaml says about config is what the program reads."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from config.schema import Cluster, Rancher, Settings
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


@pytest.mark.parametrize("key", FIELDS)
def test_a_keys_description_names_all_that_is_below_it_with_its_default(key: str) -> None:
    """By the path that leads there, at any depth and for each kind of access."""
    entries = [entry for section in sections(FIELDS[key].annotation) for entry in below(section)]
    assert [entry for entry in entries if not re.search(rf"(?<![\w.]){re.escape(entry)}(?!\w)", description(key))] == []


@pytest.mark.parametrize("key", FIELDS)
def test_a_keys_description_gives_no_default_that_is_none(key: str) -> None:
    """Or an old one would stay beside the new."""
    given = re.findall(r"\[(.+?)\]", description(key))
    entries = [entry for section in sections(FIELDS[key].annotation) for entry in below(section)]
    assert sorted(given) == sorted(entry.partition(" [")[2].rstrip("]") for entry in entries if "[" in entry)


def test_the_search_for_keys_goes_to_the_bottom() -> None:
    """Or the tests above would prove little."""
    assert {"access.kind", "access.path", "access.clusterId"} <= set(below(Cluster))
    assert "project.containerLimit.limitsCpu [200m]" in set(below(Rancher))
    assert "url" in set(below(Rancher))


def description(key: str) -> str:
    """What is said about a key."""
    return str(DECLARED[key]["description"])


def sections(annotation: object) -> list[type[BaseModel]]:
    """The sections within a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in sections(part)]


def below(section: type[BaseModel]) -> Iterator[str]:
    """The keys below a section, by path, each with its default as the description must have it."""
    for info in section.model_fields.values():
        inside = sections(info.annotation)
        if not inside:
            has_default = isinstance(info.default, str | int)
            yield f"{info.alias} [{str(info.default).replace('True', 'true')}]" if has_default else str(info.alias)
        for each in inside:
            yield from (f"{info.alias}.{entry}" for entry in below(each))


def test_stack_files_use_declared_keys_alone() -> None:
    """A key that is not declared would go unchecked by Pulumi."""
    for path in ROOT.glob("Pulumi.*.yaml"):
        keys = {key for key in yaml.safe_load(path.read_text())["config"] if key.startswith("mcsps:")}
        assert keys <= {f"mcsps:{key}" for key in (*DECLARED, *SECRET_KEYS)}, path.name
