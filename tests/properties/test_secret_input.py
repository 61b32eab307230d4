"""Secrets that a user writes where they do not belong."""

import base64
from collections.abc import Mapping
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from config.parsing import parse
from errors import SECRETS, UserError, find_secret, show
from tests.properties.test_config_input import FULL, PLACES
from tests.support import pems
from tests.support.bad_config import Place, put

RANCHER_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
BASE64_URL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
TOKEN_SECRETS = st.text(RANCHER_LETTERS, min_size=54, max_size=54)
BARE_SECRETS = TOKEN_SECRETS.filter(lambda secret: not secret.isalpha())
"""Without their name; only one in a million has no digit."""
TOKEN_NAMES = st.builds(
    "{}{}".format,
    st.sampled_from(["token-", "kubeconfig-u-", "kubeconfig-user-", "agent-u-"]),
    st.text(RANCHER_LETTERS, min_size=5, max_size=14),
)
TOKENS = st.tuples(TOKEN_NAMES, TOKEN_SECRETS).map(":".join)
PARTS = st.text(BASE64_URL, min_size=16, max_size=60)
WEB_TOKENS = st.tuples(PARTS, PARTS, PARTS).map(lambda parts: f"eyJ{'.'.join(parts)}")
KEYS = st.sampled_from([pems.key_pem(pems.make_key()) for _ in range(8)])
KUBECONFIGS = st.builds(
    "apiVersion: v1\nkind: Config\nusers: [{{name: a, user: {{token: '{}'}}}}]\n".format, TOKENS | WEB_TOKENS
)
FORMS = st.sampled_from(
    [
        "{}",
        "{} ",
        "https://{}",
        "https://r.example/{}",
        "https://user:{}@r.example",
        "https://r.example/?token={}",
        "/{}",
        "docker.io/x:{}",
        "({}",
        "a={}",
        "Bearer {}",
    ]
)
LINES = st.sampled_from([str, lambda text: text.replace("\n", "\\n"), lambda text: " ".join(text.split())])
SECRET_TEXTS = st.builds(
    lambda secret, form, line: (secret, form.format(line(secret))),
    TOKENS | BARE_SECRETS | WEB_TOKENS | KEYS | KUBECONFIGS,
    FORMS,
    LINES,
)
LEAVES = [place for place in PLACES if isinstance(place[-1], str)]
PART = 12
"""So many characters of a secret in a row are a leak."""


def leaked(secret: str, message: str) -> list[str]:
    """The parts of a secret that a message has; the header of a PEM and the words of a kubeconfig are none."""
    words = [word for word in secret.replace(":", " ").replace(".", " ").replace("'", " ").split() if len(word) >= PART]
    parts = [word[at : at + PART] for word in words for at in range(len(word) - PART + 1)]
    return [part for part in parts if part in message]


def message_of(values: Mapping[str, Any]) -> str:
    """The refusal of a config; nothing if it is accepted."""
    try:
        parse(values)
    except UserError as error:
        return str(error)
    return ""


@given(place=st.sampled_from(LEAVES), given_=SECRET_TEXTS)
@example(place=("audiences", 0, "header", "regex"), given_=("token-abcde:" + "b2" * 27, "(token-abcde:" + "b2" * 27))
@example(place=("rancher", "caCerts"), given_=("token-abcde:" + "b2" * 27, "/token-abcde:" + "b2" * 27))
def test_no_message_has_a_part_of_a_secret_under_a_wrong_key(place: Place, given_: tuple[str, str]) -> None:
    """Whatever the key, and however the secret was pasted."""
    secret, text = given_
    assert leaked(secret, message_of(put(FULL, place, text))) == []


@given(place=st.sampled_from(LEAVES), given_=SECRET_TEXTS)
def test_no_message_has_a_part_of_a_secret_as_a_key(place: Place, given_: tuple[str, str]) -> None:
    """A user can forget the key's name."""
    secret, text = given_
    assert leaked(secret, message_of(put(FULL, (*place[:-1], text), 1))) == []
    assert leaked(secret, message_of(put(FULL, ("istio", "values", "gateway", text), 1))) == []


@given(
    place=st.sampled_from(
        [
            ("rancher", "project", "description"),
            ("istio", "values", "istiod", "env"),
            ("istio", "values", "istiod", "other", "deep"),
            ("audiences", 0, "header", "exact"),
        ]
    ),
    secret=TOKENS | KEYS,
)
def test_a_secret_is_refused_where_any_text_is_allowed(place: Place, secret: str) -> None:
    """It would be in plain text in the state, in plans and in the cluster."""
    value = {"X": secret} if place[-1] == "env" else secret
    message = message_of(put(FULL, place, value))
    assert "mcsps:" in message
    assert leaked(secret, message) == []


def test_a_plain_secret_is_refused_by_its_key_and_kind() -> None:
    """With the keys that may be secret."""
    token = f"token-abcde:{'b2' * 27}"
    message = message_of(put(FULL, ("istio", "values", "istiod", "env", "X"), token))
    assert message == (
        "the stack's config is invalid:\n  mcsps:istio.values.istiod.env.X: got a Rancher token; allowed: no secret "
        "but rancherToken and rootPrivateKey. Treat it as leaked, and replace it by a new one"
    )
    assert "\n  mcsps:istio.values.gateway: got a Rancher token; " in message_of(
        put(FULL, ("istio", "values", "gateway", token), 1)
    )
    assert "\n  mcsps:audiences[0].header.exact: got a Rancher token; " in message_of(
        put(FULL, ("audiences", 0, "header", "exact"), token)
    )


def test_each_kind_of_secret_is_recognised() -> None:
    """By what no other text has."""
    kubeconfig = f"client-key-data: {base64.b64encode(pems.key_pem(pems.make_key()).encode()).decode()}"
    texts = [
        f"kubeconfig-u-abcde:{'b2' * 27}",
        pems.key_pem(pems.make_key()),
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLW9mLWl0",
        kubeconfig,
    ]
    assert [find_secret(text) for text in texts] == list(SECRETS)
    assert [show(text) for text in texts] == [f"a value of {len(text)} characters" for text in texts]


def test_what_is_no_secret_is_shown() -> None:
    """Names, addresses, images, paths, versions and quantities."""
    for text in (
        "mcsps-test-k8s-01-with-a-long-name-of-many-words",
        "https://rancher.example:8443/below",
        "ghcr.io/acme/token-service:1.31.1-distroless-debug",
        "docker.io/istio/examples-helloworld-v1",
        "/var/lib/mcsps-lab/east/kubeconfig",
        "12000m",
        "w" * 60,
        "role=ingress,example.com/zone=",
    ):
        assert find_secret(text) is None
        assert show(text) == repr(text)


def test_a_digest_is_no_secret() -> None:
    """It is only too long to be quoted."""
    assert find_secret(f"docker.io/curlimages/curl@sha256:{'0a' * 32}") is None
    assert find_secret(f"ghcr.io/acme/token-service:{'0a' * 20}") is None
