"""The page docs/reference/config.md, from the JSON Schema of the config."""

from collections.abc import Iterator, Mapping
from typing import Any

from config.base import NAMESPACE
from config.secrets import SECRET_KEYS
from config.text import ALLOWED
from docs.generate import markdown
from docs.generate.schema import resolve, settings_schema

HEADERS = ("Key", "Type", "Default", "Allowed", "Meaning")
KINDS = {"object": "mapping", "array": "list"}
"""Types of JSON Schema by their names in YAML."""
INTRODUCTION = f"""\
Config keys are set in `Pulumi.<stack>.yaml` below `config:`, each with the prefix `{NAMESPACE}:`. A list of a key is
marked with `[]`. A key without a default is unset. Unknown keys and values that are not allowed fail before anything
changes.

`docs/reference/config.schema.json` is the same as a JSON Schema. Editors with a YAML language server use it in stack
files that start with the line `# yaml-language-server: $schema=docs/reference/config.schema.json`."""

Row = tuple[str, str, str, str, str]
Schema = Mapping[str, Any]


def render() -> str:
    """Render the page."""
    settings = settings_schema()
    rows = _Rows(settings["$defs"])
    sections = [
        _section(key, schema, rows, is_required=key in settings["required"])
        for key, schema in settings["properties"].items()
    ]
    return markdown.page("Config", "config/schema/", INTRODUCTION, *sections, _secrets())


def _section(key: str, schema: Schema, rows: "_Rows", *, is_required: bool) -> str:
    whole = rows.resolve(schema)
    match whole["type"]:
        case "object":
            found = rows.below(whole, "")
        case "array":
            found = rows.below(rows.resolve(whole["items"]), f"{key}[].")
        case _:
            found = rows.of(key, whole, is_required=is_required)
    required = " Required." if is_required else ""
    return "\n\n".join((f"## `{NAMESPACE}:{key}`", f"{whole['description']}{required}", markdown.table(HEADERS, found)))


def _secrets() -> str:
    rows = [(f"`{NAMESPACE}:{key}`", text) for key, text in SECRET_KEYS.items()]
    text = "Secrets are set with `pulumi config set --secret <key>`. No other key can be a secret."
    return "\n\n".join(("## Secrets", text, markdown.table(("Key", "Meaning"), rows)))


class _Rows:
    """The table rows of a schema and of all schemas within it."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions

    def resolve(self, schema: Schema) -> Schema:
        """The schema with the definition that it refers to."""
        return resolve(schema, self._definitions)

    def of(self, path: str, schema: Schema, *, is_required: bool, condition: str = "") -> Iterator[Row]:
        """The row of a key, followed by those of the keys below it."""
        whole = self.resolve(schema)
        items = self.resolve(whole.get("items", {}))
        kind: str = whole.get("type", "object")
        yield (
            f"`{path}`",
            KINDS.get(kind, kind),
            "required" if is_required else _default(whole),
            _allowed(whole) or _allowed(items),
            f"{'' if 'const' in whole else condition}{whole.get('description', '')}",
        )
        yield from self.below(items, f"{path}[].", condition)
        yield from self.below(whole, f"{path}.", condition)

    def below(self, schema: Schema, prefix: str, condition: str = "") -> Iterator[Row]:
        """The rows of the keys below a mapping; where it has several kinds, each key says its kind."""
        required = schema.get("required", ())
        for key, inner in schema.get("properties", {}).items():
            yield from self.of(f"{prefix}{key}", inner, is_required=key in required, condition=condition)
        for choice in map(self.resolve, schema.get("oneOf", ())):
            kind = choice["properties"]["kind"]["const"]
            yield from self.below(choice, prefix, f"With kind `{kind}`: ")


def _default(schema: Schema) -> str:
    default = schema.get("default")
    return "" if default in (None, {}, []) else markdown.code(default)


def _allowed(schema: Schema) -> str:
    if "const" in schema:
        return markdown.code(schema["const"])
    if "enum" in schema:
        return ", ".join(map(markdown.code, schema["enum"]))
    if "minimum" in schema:
        most = schema.get("maximum")
        return f"{schema['minimum']} or more" if most is None else f"{schema['minimum']} to {most}"
    if "minItems" in schema:
        return f"{schema['minItems']} or more"
    if "maxLength" in schema and ALLOWED not in schema:
        return f"{schema['minLength']} to {schema['maxLength']} characters"
    return str(schema.get(ALLOWED, "")).removeprefix("allowed: ")
