"""The JSON Schema of a stack file, `Pulumi.<stack>.yaml`, from the schema of the config."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from config.base import NAMESPACE
from config.schema import Settings
from config.secrets import SECRET_KEYS

DIALECT = "http://json-schema.org/draft-07/schema#"
DIGITS = {"type": "string", "pattern": "^[0-9]+$"}
"""A whole number, as `pulumi config set` writes it."""
SECRET = {
    "type": "object",
    "properties": {"secure": {"type": "string", "description": "The encrypted value."}},
    "required": ["secure"],
    "additionalProperties": False,
}
PULUMIS_OWN = {
    "encryptedkey": "The key of the stack's secrets provider, encrypted.",
    "encryptionsalt": "The salt of the stack's passphrase.",
    "secretsprovider": "The stack's secrets provider.",
}
"""Keys beside `config` that Pulumi writes."""


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's interface
        return False


def settings_schema() -> dict[str, Any]:
    """The JSON Schema of all plain config keys."""
    schema: dict[str, Any] = _simplify(Settings.model_json_schema(schema_generator=_Generator))
    return schema


def resolve(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with the definition that it refers to."""
    reference = schema.get("$ref")
    return schema if reference is None else {**definitions[reference.rpartition("/")[2]], **schema}


def render() -> str:
    """Render the JSON Schema of a stack file."""
    settings = settings_schema()
    keys = {f"{NAMESPACE}:{key}": _as_config_set_writes(value) for key, value in settings["properties"].items()}
    secrets = {f"{NAMESPACE}:{key}": {**SECRET, "description": text} for key, text in SECRET_KEYS.items()}
    document = {
        "$schema": DIALECT,
        "title": "Pulumi.<stack>.yaml",
        "description": "A stack's config; docs/reference/config.md has the same as tables.",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": {**keys, **secrets},
                "patternProperties": {"^pulumi:": {}},
                "required": [f"{NAMESPACE}:{key}" for key in settings["required"]],
                "additionalProperties": False,
            },
            "environment": {"description": "Environments of Pulumi ESC."},
            **{key: {"type": "string", "description": text} for key, text in PULUMIS_OWN.items()},
        },
        "required": ["config"],
        "additionalProperties": False,
        "$defs": settings["$defs"],
    }
    return json.dumps(document, indent=2) + "\n"


def _as_config_set_writes(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if schema.get("type") != "integer":
        return schema
    described = {key: value for key, value in schema.items() if key in {"description", "default"}}
    return {**described, "anyOf": [{key: value for key, value in schema.items() if key not in described}, DIGITS]}


def _simplify(schema: Any) -> Any:  # noqa: ANN401 - JSON data
    """Remove null as the value of an unset key, and all that an editor does not need."""
    if isinstance(schema, list):
        return [_simplify(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    simple = {key: _simplify(value) for key, value in schema.items() if not _is_noise(key, value)}
    choices = simple.get("anyOf", [])
    if {"type": "null"} in choices:
        (choice,) = (each for each in choices if each != {"type": "null"})
        simple = {key: value for key, value in simple.items() if key not in {"anyOf", "default"}} | choice
    return {
        key: " ".join(value.split()) if key == "description" and isinstance(value, str) else value
        for key, value in simple.items()
    }


def _is_noise(key: str, value: object) -> bool:
    """Whether a keyword is a title, a default of a whole section, or OpenAPI's; a property `title` is a mapping."""
    return (
        (key == "title" and isinstance(value, str))
        or (key == "default" and isinstance(value, dict))
        or key == "discriminator"
    )
