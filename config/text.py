"""The type of texts that match a pattern."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

ALLOWED = "patternErrorMessage"
"""The keyword of a JSON Schema for the text of what is allowed; editors show it for a value that does not match."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """
    A string that matches a pattern as a whole.

    Attributes:
        allowed: What is allowed, as a noun phrase.
        pattern: A regular expression that means the same in Python and in ECMAScript.
        longest: The greatest number of characters, if there is one.
    """

    allowed: str
    pattern: str
    longest: int | None = None

    def __call__(self, value: str) -> str:
        """
        Return the value, or what the type makes of it.

        Raises:
            ValueError: It does not match.
        """
        too_long = self.longest is not None and len(value) > self.longest
        if too_long or not re.fullmatch(self.pattern, value):
            raise ValueError(f"allowed: {self.allowed}")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's interface
        return core_schema.no_info_after_validator_function(self, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        pattern = re.sub(r"\(\?P<\w+>", "(", self.pattern)
        length = {} if self.longest is None else {"maxLength": self.longest}
        return {**handler(schema), "pattern": f"^({pattern})$", **length, ALLOWED: f"allowed: {self.allowed}"}
