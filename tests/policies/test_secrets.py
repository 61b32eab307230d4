"""The rules that keys and tokens are in Secrets only."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi_policy.deserialize import SPECIAL_ASSET_SIG, SPECIAL_SIG_KEY

from policies.lib import charts
from policies.rules import no_secrets_in_inputs, no_secrets_in_outputs
from recorder.registrations import STACK_TYPE
from recorder.values import Secret
from tests.support import pems
from tests.support.policies import UNKNOWN, Made, as_plain, assert_bears_all, judge
from tests.support.recording import CHART, SECRET
from tests.support.stacks import kubeconfig

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
LONG = 300_000
"""The length in characters."""
COMPONENT = "mcsps:index:MeshTrust"


def encoded(text: str) -> str:
    """Return Base64, with line breaks as `base64` writes them."""
    return base64.encodebytes(text.encode()).decode()


def one_line(text: str) -> str:
    """Return Base64, as Kubernetes writes it."""
    return base64.b64encode(text.encode()).decode()


def unpadded(text: str) -> str:
    """Return Base64 without padding."""
    padded = one_line(text + " " * (len(text) % 3 == 0))
    assert padded.endswith("=")
    return padded.rstrip("=")


KEY = pems.key_pem(pems.make_key())
RANCHERS = "token-" + "ab1cd:" + "x9" * 27
OF_A_KUBECONFIG = "kubeconfig-" + "u-ab1cdef:" + "x9" * 27
WEB_TOKEN = ".".join((encoded('{"alg": "RS256"}').strip("=\n"), encoded('{"sub": "reader"}').strip("=\n"), "c2ln"))
KUBECONFIG = kubeconfig("east")
MATERIAL = {
    "a key": (KEY, "a private key"),
    "a key in base64": (encoded(KEY), "a private key"),
    "a key in base64 on one line": (one_line(KEY), "a private key"),
    "a key in base64 without padding": (unpadded(KEY), "a private key"),
    "a key in base64 within a text": (f"tls.key: {one_line(KEY)}, and so on", "a private key"),
    "a key in base64 after words": (f"this is the key {encoded(KEY)} and so on", "a private key"),
    "a key in base64 after what looks like it": (f"/etc/istio/certificates/of/mesh {encoded(KEY)}", "a private key"),
    "a key in base64 in JSON": (json.dumps({"key": encoded(KEY)}), "a private key"),
    "a key in base64 after another": (f"{one_line('a certificate of the mesh')} {one_line(KEY)}", "a private key"),
    "a token of Rancher's in base64 within a text": (f"token={one_line(RANCHERS)};", "a Rancher token"),
    "a kubeconfig in base64 within YAML": (
        yaml.safe_dump({"east": encoded(KUBECONFIG)}, default_style="|"),
        "a kubeconfig with a credential",
    ),
    "a token of Rancher's": (RANCHERS, "a Rancher token"),
    "a token of Rancher's kubeconfig": (f"bearer {OF_A_KUBECONFIG}", "a Rancher token"),
    "a web token": (WEB_TOKEN, "a JSON Web Token"),
    "a kubeconfig": (KUBECONFIG, "a kubeconfig with a credential"),
    "a kubeconfig in base64": (encoded(KUBECONFIG), "a kubeconfig with a credential"),
    "a kubeconfig in JSON": (json.dumps(yaml.safe_load(KUBECONFIG)), "a kubeconfig with a credential"),
    "a kubeconfig as a mapping": (yaml.safe_load(KUBECONFIG), "a kubeconfig with a credential"),
    "deep within": ({"list": [{"key": KEY}]}, "a private key"),
}
HARMLESS = {
    "a certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "a public key": "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
    "a path": "/var/run/secrets/tokens/istio-token",
    "a kubeconfig without a credential": "apiVersion: v1\nkind: Config\nusers: []\n",
    "a word about tokens": "token-based: see the manual",
    "an image's digest": "sha256:" + "0a" * 32,
    "letters like base64, of a wrong length": "abcdefghijklmnopqrstuvwxy",
    "letters like base64, after one another": f"{'Ab1' * 20} " * 20,
    "a certificate in base64": f"ca.crt: {encoded('-----BEGIN CERTIFICATE-----')}",
    "users without credentials": {"users": [{"name": "east", "user": {"token": None}}, "east", 5]},
    "a number": 5,
    "nothing": None,
}

material = pytest.mark.parametrize(("value", "what"), MATERIAL.values(), ids=MATERIAL.keys())
harmless = pytest.mark.parametrize("value", HARMLESS.values(), ids=HARMLESS.keys())


def assert_quotes_nothing(message: str) -> None:
    """Check that the message quotes no part of a secret."""
    for secret in (*pems.secret_lines(KEY), RANCHERS, OF_A_KUBECONFIG, WEB_TOKEN, "this-must-stay-secret"):
        assert secret not in message


def config_map(value: Any, key: str = "data") -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """Return a ConfigMap with one value."""
    return Made(type=CONFIG_MAP, inputs={"metadata": {"name": "mesh"}, key: {"entry": value}})


@material
def test_none_stands_in_a_config_map(value: object, what: str) -> None:
    """The rule searches both text and binary data."""
    for key in ("data", "binaryData"):
        (found, *_) = judge(no_secrets_in_inputs.POLICY, config_map(value, key))
        assert f"ConfigMap mesh of cluster east has {what} at {key}.entry" in found.message
        assert "To fix it, put it into a Secret and refer to that Secret" in found.message
        assert_quotes_nothing(found.message)


@material
@pytest.mark.parametrize("type_", [CHART, "kubernetes:helm.sh/v3:Release"])
def test_none_stands_in_a_helm_value(value: object, what: str, type_: str) -> None:
    """This holds for every way to install a chart."""
    (found, *_) = judge(no_secrets_in_inputs.POLICY, Made(type=type_, inputs={"values": {"global": value}}))
    assert f" has {what} at values.global" in found.message
    assert_quotes_nothing(found.message)


@material
def test_none_is_told_to_istio_s_operator(value: object, what: str) -> None:
    """The operator would write it into a ConfigMap."""
    operator = Made(type="kubernetes:install.istio.io/v1alpha1:IstioOperator", inputs={"spec": {"values": value}})
    (found, *_) = judge(no_secrets_in_inputs.POLICY, operator)
    assert f" has {what} at spec.values" in found.message
    assert_quotes_nothing(found.message)


@material
def test_none_is_exported(value: object, what: str) -> None:
    """The outputs of a component are judged as well."""
    for type_, name in ((STACK_TYPE, "the stack"), (COMPONENT, "MeshTrust made")):
        (found, *_) = judge(no_secrets_in_outputs.POLICY, Made(type=type_, outputs={"clusters": {"east": value}}))
        assert f"{name} has {what} at clusters.east" in found.message
        assert "To fix it, export a reference instead" in found.message
        assert_quotes_nothing(found.message)


def test_a_mark_changes_nothing_about_an_export() -> None:
    """Everyone who can read the stack can show its secret outputs in plain text."""
    (found,) = judge(no_secrets_in_outputs.POLICY, Made(type=STACK_TYPE, outputs=as_plain({"key": Secret(KEY)})))
    assert "the stack has a private key at key among its outputs" in found.message


@harmless
def test_what_only_looks_like_one_may_stand_anywhere(value: object) -> None:
    """Certificates are public."""
    assert judge(no_secrets_in_inputs.POLICY, config_map(value)) == []
    assert judge(no_secrets_in_inputs.POLICY, Made(type=CHART, inputs={"values": {"global": value}})) == []
    assert judge(no_secrets_in_outputs.POLICY, Made(type=STACK_TYPE, outputs={"east": value})) == []


def asset(**where: str) -> dict[str, str]:
    """Return a file in the form in which Pulumi passes it."""
    return {SPECIAL_SIG_KEY: SPECIAL_ASSET_SIG, **where}


@material
@pytest.mark.parametrize("type_", [CHART, "kubernetes:helm.sh/v3:Release"])
def test_none_stands_in_a_file_of_helm_values(tmp_path: Path, value: object, what: str, type_: str) -> None:
    """The rule searches both text assets and files of the machine."""
    text = yaml.safe_dump({"global": value})
    (tmp_path / "values.yaml").write_text(text)
    for file in (asset(text=text), asset(path=str(tmp_path / "values.yaml"))):
        made = Made(type=type_, inputs={"valueYamlFiles": [asset(text="global: {}"), file]})
        (found, *_) = judge(no_secrets_in_inputs.POLICY, made)
        assert f" has {what} at valueYamlFiles[1].global" in found.message
        assert_quotes_nothing(found.message)


def test_a_path_of_helm_values_begins_where_the_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pack runs in another folder."""
    monkeypatch.setattr(charts, "PROJECT", tmp_path)
    (tmp_path / "values.yaml").write_text(yaml.safe_dump({"key": KEY}))
    made = Made(type=CHART, inputs={"valueYamlFiles": [asset(path="values.yaml")]})
    (found,) = judge(no_secrets_in_inputs.POLICY, made)
    assert "has a private key at valueYamlFiles[0].key" in found.message


def test_a_file_of_helm_values_that_is_no_text_is_left_to_helm(tmp_path: Path) -> None:
    """Such a file holds no values."""
    (tmp_path / "values.yaml").write_bytes(b"\xff\xfe\x00")
    made = Made(type=CHART, inputs={"valueYamlFiles": [asset(path=str(tmp_path / "values.yaml"))]})
    assert judge(no_secrets_in_inputs.POLICY, made) == []


@pytest.mark.parametrize(
    "files",
    [
        [asset(path="no/such/file.yaml")],
        [asset(path="LICENSE")],
        [asset(uri="https://charts.example/values.yaml")],
        [asset(text="key: [")],
        [UNKNOWN, "a text", None],
        UNKNOWN,
    ],
    ids=["not there", "no YAML", "far away", "broken", "not known yet, or no file", "none known yet"],
)
def test_a_file_of_helm_values_that_cannot_be_read_is_left_to_helm(files: object) -> None:
    """Helm reports the error, or downloads the file."""
    assert judge(no_secrets_in_inputs.POLICY, Made(type=CHART, inputs={"valueYamlFiles": files})) == []


@pytest.mark.parametrize(
    "part",
    ["A", "abc ", "a" * 23 + ".", "A" * 76 + "\n", "Ab1" * 10 + " ", "token-", "eyJ-"],
    ids=["one word", "short words", "words below base64's", "lines of base64", "long words", "tokens", "web tokens"],
)
def test_a_long_text_is_read_about_once(part: str) -> None:
    """A ConfigMap can hold a megabyte. A pattern that searches again from each position would take minutes here."""
    text = (part * LONG)[:LONG]
    assert judge(no_secrets_in_inputs.POLICY, config_map(text), config_map(one_line(text))) == []


def test_a_secret_is_where_they_belong() -> None:
    """Other outputs of a provider are not outputs of the program."""
    secret = Made(type=SECRET, inputs={"stringData": {"ca-key.pem": KEY}})
    assert judge(no_secrets_in_inputs.POLICY, secret) == []
    assert judge(no_secrets_in_outputs.POLICY, secret) == []


def test_a_value_not_known_yet_may_be_harmless() -> None:
    """The rules pass unknown values, and a value of a wrong type does not stop them."""
    values = {"global": {"hub": UNKNOWN, "list": [UNKNOWN]}}
    chart = Made(type=CHART, inputs={"chart": "istiod", "values": values, "valueYamlFiles": [UNKNOWN]})
    assert_bears_all(no_secrets_in_inputs.POLICY, config_map("text"), chart)
    stack = Made(type=STACK_TYPE, inputs={"clusters": {"east": {"users": [{"user": {"token": None}}]}}}, provider=None)
    assert_bears_all(no_secrets_in_outputs.POLICY, stack, refused={"token"})
