"""The pack recognizes a secret in any shape, and passes texts that only look like one."""

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization

from policies.rules import no_secrets_in_inputs, no_secrets_in_outputs
from recorder.registrations import STACK_TYPE
from tests.support import pems
from tests.support.policies import UNKNOWN, Made, assert_bears_all, judge
from tests.support.recording import DEPLOYMENT, SECRET
from tests.support.stacks import kubeconfig

KEY = pems.make_key()
PEM = pems.key_pem(KEY)
FAKE = hashlib.sha256(b"a shape of a secret").hexdigest()[:40]
RANCHERS = "token-" + "ab1cd:" + "x9" * 27
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def encoded(value: str | bytes) -> str:
    """Return Base64 on one line."""
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def der(encryption: serialization.KeySerializationEncryption) -> bytes:
    """Return the key in DER."""
    return KEY.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, encryption)


def with_user(**user: object) -> dict[str, Any]:
    """Return a kubeconfig with another user and without its kind."""
    document = yaml.safe_load(kubeconfig("east"))
    del document["kind"]
    document["users"][0]["user"] = user
    return dict(document)


PLAIN_DER = der(serialization.NoEncryption())
ENCRYPTED_DER = der(serialization.BestAvailableEncryption(b"only for this test"))
JWK = {"kty": "EC", "crv": "P-256", "d": encoded(PLAIN_DER[-32:]).rstrip("=").replace("+", "-").replace("/", "_")}
COMMAND = {"command": "aws", "env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": FAKE}]}
SHAPES: dict[str, tuple[object, str]] = {
    "base64 twice": (encoded(encoded(PEM)), "a private key"),
    "DER": (encoded(PLAIN_DER), "a private key"),
    "DER in lines": (base64.encodebytes(PLAIN_DER).decode(), "a private key"),
    "DER without padding": (encoded(PLAIN_DER).rstrip("="), "a private key"),
    "encrypted DER": (encoded(ENCRYPTED_DER), "a private key"),
    "JWK": (json.dumps(JWK), "a private key"),
    "JWK in YAML": (yaml.safe_dump(JWK), "a private key"),
    "JWK as a mapping": (JWK, "a private key"),
    "PEM in JSON": (json.dumps({"key": PEM}), "a private key"),
    "a kubeconfig without its kind": (yaml.safe_dump(with_user(token=FAKE)), "a kubeconfig with a credential"),
    "a kubeconfig without its kind in JSON": (json.dumps(with_user(token=FAKE)), "a kubeconfig with a credential"),
    "a kubeconfig with a key for its command": (
        yaml.safe_dump({"kind": "Config", **with_user(exec=COMMAND)}),
        "a kubeconfig with a credential",
    ),
    "a kubeconfig with a key for its command, as a mapping": (
        with_user(exec=COMMAND),
        "a kubeconfig with a credential",
    ),
    "a database's URL": (f"postgres://shop:{FAKE}@db.shop.svc:5432/shop", "a credential in a URL"),
    "a URL in a text": (f"spring.redis.url=redis://:{FAKE}@cache", "a credential in a URL"),
    "a Rancher token in a URL": (f"https://{RANCHERS}@rancher.example/v3", "a Rancher token"),
}
CLEAN_TEXTS = {
    "an image's tag": f"ghcr.io/acme/token-service:{'3fa9' * 10}",
    "a tag as long as a token": f"ghcr.io/acme/token-service:{'x9' * 27}",
    "a token's form": "token-xxxxx:<54 characters>",
    "a rule that names a header": 'match: "-----BEGIN RSA PRIVATE KEY-----" in file',
    "a rule with a pattern": r"-----BEGIN (RSA|EC) PRIVATE KEY-----[\s\S]+-----END",
    "a key that is cut short": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0...\n-----END PRIVATE KEY-----",
    "a place holder for a key": "-----BEGIN PRIVATE KEY-----\n<your key>\n-----END PRIVATE KEY-----",
    "a kubeconfig template": yaml.safe_dump({"kind": "Config", **with_user(token="${SERVICE_ACCOUNT_TOKEN}")}),  # noqa: S106
    "a kubeconfig template of Helm": "kind: Config\nusers:\n- name: x\n  user:\n    token: {{ .Values.token }}\n",
    "a kubeconfig that is redacted": yaml.safe_dump(
        {"kind": "Config", **with_user(**{"client-key-data": "DATA+OMITTED"})}
    ),
    "a kubeconfig with a token's file": yaml.safe_dump({"kind": "Config", **with_user(tokenFile="/var/run/token")}),
    "a database's URL with a variable": "postgres://shop:$(DB_PASSWORD)@db.shop.svc:5432/shop",
    "a database's URL with a template": "postgres://shop:{{ .Values.password }}@db",
    "a URL without a password": "https://git@git.example/team/app.git",
    "a public key as a JWK": json.dumps({"kty": "EC", "crv": "P-256", "x": JWK["d"], "y": JWK["d"]}),
    "text in base64": encoded("nothing but a long text that somebody has encoded for no reason"),
    "a sequence in DER that is no key": encoded(bytes([0x30, 0x81, 0x80]) + bytes(0x80)),
    "a certificate": pems.make_root(KEY),
    "a certificate in base64": encoded(pems.make_root(KEY)),
}


def config_map(value: object) -> Made:
    """Return a ConfigMap with one value."""
    return Made(type="kubernetes:core/v1:ConfigMap", inputs={"metadata": {"name": "mesh"}, "data": {"entry": value}})


def deployment(**container: object) -> Made:
    """Return a Deployment with one container."""
    containers = [{"name": "app", "image": "hub.example/app:1", **container}]
    return Made(type=DEPLOYMENT, inputs={"spec": {"template": {"spec": {"containers": containers}}}})


@pytest.mark.parametrize(("value", "what"), SHAPES.values(), ids=SHAPES)
def test_a_secret_is_known_in_any_shape(value: object, what: str) -> None:
    """The rule finds it in a ConfigMap, in an annotation, and in the command and arguments of a container."""
    text = value if isinstance(value, str) else json.dumps(value)
    (found, *_) = judge(no_secrets_in_inputs.POLICY, config_map(value))
    assert f"ConfigMap mesh of cluster east has {what} at data.entry" in found.message
    (found, *_) = judge(no_secrets_in_outputs.POLICY, Made(type=STACK_TYPE, outputs={"entry": value}))
    assert f"the stack has {what} at entry" in found.message
    annotated = Made(type=SECRET, inputs={"metadata": {"annotations": {"example.com/note": text}}})
    (found,) = judge(no_secrets_in_inputs.POLICY, annotated)
    assert f"has {what} at metadata.annotations.example.com/note" in found.message
    for started_with in ({"env": [{"name": "NOTE", "value": text}]}, {"args": [text]}, {"command": ["run", text]}):
        (found,) = judge(no_secrets_in_inputs.POLICY, deployment(**started_with))
        assert f"has {what} at spec.template.spec.containers[0]." in found.message
        for secret in (*pems.secret_lines(PEM), FAKE, RANCHERS):
            assert secret not in found.message


@pytest.mark.parametrize("text", CLEAN_TEXTS.values(), ids=CLEAN_TEXTS)
def test_what_only_has_the_shape_of_a_secret_passes(text: str) -> None:
    """Such a text has another length or alphabet, has no body, or contains a placeholder."""
    assert judge(no_secrets_in_inputs.POLICY, config_map(text), deployment(args=[text])) == []
    assert judge(no_secrets_in_outputs.POLICY, Made(type=STACK_TYPE, outputs={"entry": text})) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "s3cr3t-horse"),
        ("API_TOKEN", FAKE),
        ("AWS_SECRET_ACCESS_KEY", FAKE),
        ("clientSecret_SECRET", FAKE),
    ],
)
def test_a_variable_that_says_so_holds_a_secret(name: str, value: str) -> None:
    """A reference to a Secret passes."""
    (found,) = judge(no_secrets_in_inputs.POLICY, deployment(env=[{"name": name, "value": value}]))
    assert f"has a credential in the variable {name} at spec.template.spec.containers[0].env" in found.message
    assert value not in found.message
    reference = {"name": name, "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
    assert judge(no_secrets_in_inputs.POLICY, deployment(env=[reference])) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "$(FROM_ANOTHER)"),
        ("DB_PASSWORD", "changeme"),
        ("DB_PASSWORD", ""),
        ("DB_PASSWORD_FILE", "/etc/secrets/password"),
        ("TOKEN_TTL", "3600"),
        ("CLIENT_SECRET", "shop-client-credentials"),
        ("CLIENT_SECRET", "projects/1/secrets/client"),
        ("ISTIO_TOKEN", "/var/run/secrets/tokens/istio-token"),
        ("PARTITION_KEY", FAKE),
    ],
)
def test_a_variable_that_names_a_secret_holds_none(name: str, value: str) -> None:
    """A placeholder passes as well."""
    assert judge(no_secrets_in_inputs.POLICY, deployment(env=[{"name": name, "value": value}])) == []


def test_the_annotation_that_kubectl_leaves_repeats_a_secret() -> None:
    """This holds for any data of a Secret. The annotation of another object is searched like any text."""
    metadata = {"annotations": {LAST_APPLIED: json.dumps({"kind": "Secret", "data": {"password": "aHVudGVy"}})}}
    (found,) = judge(no_secrets_in_inputs.POLICY, Made(type=SECRET, inputs={"metadata": metadata}))
    assert f"has the data of a Secret at metadata.annotations.{LAST_APPLIED}." in found.message
    for applied in ({"kind": "Secret", "data": {}}, {"kind": "ConfigMap", "data": {"a": "b"}}, [1]):
        metadata = {"annotations": {LAST_APPLIED: json.dumps(applied)}}
        assert judge(no_secrets_in_inputs.POLICY, Made(type=SECRET, inputs={"metadata": metadata})) == []


def test_a_resource_that_is_no_object_of_kubernetes_is_not_searched() -> None:
    """The provider of such a resource marks its secrets."""
    made = Made(type="aws:rds/instance:Instance", inputs={"metadata": {"annotations": {"key": PEM}}})
    assert judge(no_secrets_in_inputs.POLICY, made) == []


def test_a_container_of_which_nothing_is_known_yet_is_left_alone() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    clean = deployment(env=[{"name": "DB_PASSWORD", "value": "$(OTHER)"}], args=["--verbose"], command=[UNKNOWN])
    annotated = replace(clean, inputs={**clean.inputs, "metadata": {"annotations": {LAST_APPLIED: "{}"}}})
    assert_bears_all(no_secrets_in_inputs.POLICY, annotated, refused={"value"})
