"""The program uses every key of the config."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, get_origin

import pytest

from config import loader
from config.base import Section, sections_within
from config.parsing import parse
from config.schema import Settings
from config.schema.verify import Verify
from tests.support import pems
from tests.support.bad_config import put
from tests.support.runs import Runs
from tests.support.stacks import LAB, OPERATOR, RANCHER, Stack, in_regions

Key = tuple[str, str]
"""The name of a section's class, and a field of it."""
READ_BY_VERIFY_ALONE = Verify


def keys(section: type[Section] = Settings) -> Iterator[Key]:
    """Yield every key except those that select a kind of section."""
    for name, info in section.model_fields.items():
        if get_origin(info.annotation) is not Literal:
            yield section.__name__, name
        for inner in sections_within(info.annotation):
            if inner is not READ_BY_VERIFY_ALONE:
                yield from keys(inner)


def stacks(runs: Runs) -> Iterator[Stack]:
    """Yield stacks that together reach every branch of the wiring."""
    for name in (LAB, RANCHER, OPERATOR):
        yield runs.stack(name)
    yield in_regions(runs.stack(LAB), "eu", "us").changed(
        audiences=[{"name": "team", "version": "v2", "header": {"name": "x-team", "exact": "test"}, "region": "eu"}],
        failover={"enabled": True, "order": [{"from": "eu", "to": "us"}]},
    )
    direct = put(runs.stack(LAB).values, ("clusters", 0, "peerServer"), "https://direct.example:6443")
    yield replace(runs.stack(LAB), values=direct)
    key = pems.make_key()
    root = {"rootCertificate": pems.make_root(key)}
    yield replace(runs.stack(LAB).changed(trust=root), secrets={"rootPrivateKey": pems.key_pem(key)})


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[Key]:
    """Return the keys that are read once the config is parsed, so a check of the schema alone does not count."""
    found: set[Key] = set()
    plain = Section.__getattribute__

    def record(section: Section, name: str) -> Any:  # noqa: ANN401 - the type of any attribute
        fields = type(section).model_fields
        if name in fields:
            found.add((type(section).__name__, name))
        elif name == "model_dump":
            found.update(key for key in keys(type(section)))
        return plain(section, name)

    def parse_unrecorded(values: dict[str, object]) -> Settings:
        with monkeypatch.context() as unrecorded:
            unrecorded.setattr(Section, "__getattribute__", plain)
            return parse(values)

    monkeypatch.setattr(Section, "__getattribute__", record)
    monkeypatch.setattr(loader, "parse", parse_unrecorded)
    return found


def test_the_program_reads_every_key(runs: Runs, read: set[Key]) -> None:
    """A key that `wiring.py` does not pass on would have no effect, and no other test would miss it."""
    for stack in stacks(runs):
        stack.run()
    assert sorted(set(keys()) - read) == [("Settings", "verify")]
