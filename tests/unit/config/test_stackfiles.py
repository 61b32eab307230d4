"""Stack files as all commands read them, except Pulumi's own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.stackfiles import declared_value, read_config, read_document, read_value
from errors import UserError
from lab.standin import stack as standin
from ops import stack as ops
from tests.support.leaks import MARK

TOKEN = f"token-abcde:{'b2' * 27}"
ONCE = "allowed: each key once. Correct it"
PLAIN = "allowed: strings, numbers, booleans, lists and mappings. Quote it"
BAD: dict[str, tuple[bytes, str]] = {
    "a key twice": (
        f"config:\n  mcsps:v2Weight: {MARK}\n  mcsps:v2Weight: 20\n".encode(),
        "Pulumi.lab.yaml has the key 'mcsps:v2Weight' twice, line 3; allowed: each key once. Correct it",
    ),
    "a key twice inside": (
        b"config:\n  mcsps:clusters:\n    - {network: a, network: b}\n",
        "Pulumi.lab.yaml has the key 'network' twice, line 3; allowed: each key once. Correct it",
    ),
    "a secret as a key twice": (
        f"config: {{'{TOKEN}': 1, '{TOKEN}': 2}}".encode(),
        f"Pulumi.lab.yaml has the key a value of {len(TOKEN)} characters twice, line 1; {ONCE}",
    ),
    "a list for the config": (
        b"config: [a, b]\n",
        "Pulumi.lab.yaml: config: got a list of 2; allowed: a mapping of keys such as mcsps:v2Weight",
    ),
    "a text for the config": (
        b"config: east\n",
        "Pulumi.lab.yaml: config: got 'east'; allowed: a mapping of keys such as mcsps:v2Weight",
    ),
    "a list": (b"- config\n", "Pulumi.lab.yaml has a list of 1; allowed: a mapping"),
    "no text": (b"config: \xff\xfe\n", "Pulumi.lab.yaml is not text in UTF-8. Save it in this encoding"),
    "a text with a control character": (b"config: \x01\n", "Pulumi.lab.yaml is not YAML. Correct it"),
    "an open list": (b"config:\n  a: [\n", "Pulumi.lab.yaml is not YAML, line 3. Correct it"),
    "an unknown tag": (f"config: !{MARK} a\n".encode(), "Pulumi.lab.yaml is not YAML, line 1. Correct it"),
    "a date that is none": (b"config: 2026-13-45\n", "Pulumi.lab.yaml is not YAML. Correct it"),
    "two documents": (b"config: {}\n---\nconfig: {}\n", "Pulumi.lab.yaml is not YAML, line 2. Correct it"),
    "deep nesting": (
        b"[" * 1000,
        "Pulumi.lab.yaml is nested too deeply. Indent it like the other stack files",
    ),
    "nothing as a key": (
        b"config:\n  null: 1\n",
        "Pulumi.lab.yaml: config: got the key null; allowed: a string. Quote it",
    ),
    "a number as a key": (
        b"7: 1\n",
        "Pulumi.lab.yaml: the top level: got the key 7; allowed: a string. Quote it",
    ),
    "a date as a key": (
        b"config:\n  mcsps:mesh: [{2026-01-01: a}]\n",
        "Pulumi.lab.yaml: config.mcsps:mesh[0]: got the key a date; allowed: a string. Quote it",
    ),
    "a list as a key": (
        b"config:\n  ? [a]\n  : b\n",
        "Pulumi.lab.yaml: config: got the key a tuple; allowed: a string. Quote it",
    ),
    "a date": (
        b"config:\n  mcsps:mesh: {id: 2026-01-01}\n",
        f"Pulumi.lab.yaml: config.mcsps:mesh.id: got a date; {PLAIN}",
    ),
    "bytes below a secret": (
        f"config: {{'{TOKEN}': !!binary aGk=}}".encode(),
        f"Pulumi.lab.yaml: config.a value of {len(TOKEN)} characters: got a bytes; {PLAIN}",
    ),
}
READERS: dict[str, Callable[[Path], object]] = {
    "ops": lambda folder: ops.load("lab", folder),
    "stand-in": lambda folder: standin.load(folder, "lab"),
}


def write(folder: Path, content: bytes) -> Path:
    """Write a stack file beside its project."""
    (folder / "Pulumi.yaml").write_text("name: mcsps\n")
    file = folder / "Pulumi.lab.yaml"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD.keys())
def test_a_file_that_is_no_stack_file_is_refused_in_one_line(
    tmp_path: Path, reader: Callable[[Path], object], content: bytes, message: str
) -> None:
    """All commands give the same text, which contains no value of the file."""
    write(tmp_path, content)
    with pytest.raises(UserError) as caught:
        reader(tmp_path)
    assert str(caught.value) == message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_a_project_that_is_no_mapping_is_refused_too(tmp_path: Path, reader: Callable[[Path], object]) -> None:
    """The error contains the name of the project file."""
    write(tmp_path, b"config: {}\n")
    (tmp_path / "Pulumi.yaml").write_bytes(b"name: mcsps\nconfig: []\nconfig: []\n")
    with pytest.raises(UserError, match=r"^Pulumi\.yaml has the key 'config' twice, line 3"):
        reader(tmp_path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """The error contains the reason of the operating system."""
    with pytest.raises(UserError, match=r"^Pulumi\.lab\.yaml cannot be read: No such file or directory$"):
        read_document(tmp_path / "Pulumi.lab.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1:30", "1:30"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("~", None),
        ("'2026-01-01'", "2026-01-01"),
        ("[a, {b: 1}]", ["a", {"b": 1}]),
    ],
)
def test_values_are_those_of_yaml_1_2(tmp_path: Path, text: str, value: object) -> None:
    """Pulumi reads the values in the same way."""
    assert read_config(write(tmp_path, f"config: {{a: {text}}}\n".encode())) == {"a": value}


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"config:\n", b"encryptionsalt: v1\n"])
def test_a_file_without_config_has_none(tmp_path: Path, content: bytes) -> None:
    """Pulumi itself writes such files."""
    assert read_config(write(tmp_path, content)) == {}


def test_a_merged_mapping_is_one(tmp_path: Path) -> None:
    """A key beside the merge overrides the merged one, and does not count as a duplicate."""
    content = b"config:\n  a: &a {x: 1, y: 2}\n  b: {<<: *a, y: 3}\n"
    assert read_config(write(tmp_path, content)) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}


@given(content=st.binary(max_size=60) | st.text(alphabet="a: {}[]-\n&*!?'\"#0", max_size=60).map(str.encode))
@example(content=b"\x00")
@example(content=b"a: " + b"9" * 5000)
@example(content=b"a: !!timestamp x")
@example(content=b"a: !!int x")
@example(content=b"a: 0o9")
@example(content=b"a: !!float x")
@example(content=b"<<: 1")
def test_any_file_is_a_mapping_or_one_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """A file never causes any other exception."""
    outcome = read_or_refuse(write(tmp_path_factory.getbasetemp(), content))
    if isinstance(outcome, UserError):
        assert "\n" not in str(outcome)
        assert str(outcome).startswith("Pulumi.lab.yaml")


def read_or_refuse(file: Path) -> dict[str, object] | UserError:
    """Return the content of a file, or the error with which it is refused."""
    try:
        return read_document(file)
    except UserError as error:
        return error


def test_a_declared_key_has_its_value_or_its_default() -> None:
    """Pulumi.yaml can declare a value, a default, or only a type."""
    assert declared_value({"value": 1, "default": 2}) == 1
    assert declared_value({"type": "integer", "default": 2}) == 2
    assert declared_value({"type": "integer"}) is None
    assert declared_value(3) == 3


@pytest.mark.parametrize(
    ("text", "value"), [("10", 10), ('{"a": 1}', {"a": 1}), ("east", "east"), ("[" * 9999, "[" * 9999), (7, 7)]
)
def test_a_text_that_is_json_is_its_value(text: object, value: object) -> None:
    """`pulumi config set` stores numbers and objects as such text."""
    assert read_value(text) == value
