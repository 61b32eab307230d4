"""The types of pulumi-random that the program uses: `RandomId` and `RandomPassword`."""

from __future__ import annotations

import base64
import secrets
import string
from typing import TYPE_CHECKING, Final

from lab.standin.providers.local import LocalType
from recorder.registrations import Outcome
from recorder.values import Secret

if TYPE_CHECKING:
    from recorder.values import Properties

_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"


def _random_id(inputs: Properties) -> Outcome:
    raw = secrets.token_bytes(inputs["byteLength"])
    prefix = inputs.get("prefix", "")
    url_safe = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return Outcome(
        id=url_safe,
        outputs={
            **inputs,
            "b64Std": prefix + base64.b64encode(raw).decode(),
            "b64Url": prefix + url_safe,
            "dec": prefix + str(int.from_bytes(raw, "big")),
            "hex": prefix + raw.hex(),
        },
    )


def _random_password(inputs: Properties) -> Outcome:
    letters = string.ascii_letters + string.digits + (_SPECIAL if inputs.get("special", True) else "")
    made = "".join(secrets.choice(letters) for _ in range(inputs["length"]))
    return Outcome(id="none", outputs={**inputs, "result": Secret(made)})


TYPES: Final = {
    "random:index/randomId:RandomId": LocalType(make=_random_id, inputs=frozenset({"byteLength", "keepers", "prefix"})),
    "random:index/randomPassword:RandomPassword": LocalType(
        make=_random_password, inputs=frozenset({"keepers", "length", "special"})
    ),
}
