"""No secret is visible in anything that the engine shows or stores."""

import base64
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

import pulumi
import pulumi_kubernetes as k8s
import pytest

from config.loader import load
from recorder.registrations import Outcome, Registration
from recorder.values import Reference, Secret, Unknown, has_secret
from tests.support import pems, recording
from tests.support.bad_config import put
from tests.support.components import kubernetes_provider
from tests.support.leaks import MARK, fake_secret, find_leaks
from tests.support.recording import RecordingMonitor, record
from tests.support.runs import Runs
from tests.support.stacks import LAB, RANCHER, Stack

KEEPERS_OF_SECRETS = {
    (recording.CERT_REQUEST, "privateKeyPem"),
    (recording.KUBERNETES_PROVIDER, "kubeconfig"),
    (recording.LOCALLY_SIGNED_CERT, "caPrivateKeyPem"),
    (recording.RANCHER_PROVIDER, "tokenKey"),
    (recording.RANCHER_USER, "password"),
    (recording.RANCHER_USER_TOKEN, "password"),
    (recording.SECRET, "stringData"),
    (recording.SELF_SIGNED_CERT, "privateKeyPem"),
}


class Component(pulumi.ComponentResource):
    """A component with given outputs."""

    def __init__(self, outputs: dict[str, object]) -> None:
        super().__init__("mcsps:index:Leaky", "leaky")
        self.register_outputs(outputs)


def config_map(data: dict[str, str]) -> None:
    """Put data where every user of a cluster can read it."""
    opts = pulumi.ResourceOptions(provider=kubernetes_provider("east"))
    k8s.core.v1.ConfigMap("leaky", metadata={"name": "leaky"}, data=data, opts=opts)


def unmarked_copy() -> None:
    """Remove the secret mark of a key, as `unsecret` does."""
    key = pulumi.Output.unsecret(pulumi.Output.secret(fake_secret("key")))
    pulumi.export("length", key.apply(lambda text: text[:40]))


LEAKS: dict[str, Callable[[], object]] = {
    "in a ConfigMap": lambda: config_map({"key": fake_secret("key")}),
    "in base64": lambda: config_map({"key": base64.b64encode(fake_secret("key").encode()).decode()}),
    "inside base64": lambda: config_map({"key": base64.b64encode(f"a{fake_secret('key')}".encode()).decode()}),
    "further inside base64": lambda: config_map({"key": base64.b64encode(f"ab{fake_secret('key')}".encode()).decode()}),
    "in a component's outputs": lambda: Component({"key": fake_secret("key")}),
    "in an export": lambda: pulumi.export("key", {"deep": [fake_secret("key")]}),
    "without its mark": unmarked_copy,
    "in a logical name": lambda: pulumi.ComponentResource("mcsps:index:Leaky", fake_secret("key")),
    "in a log": lambda: pulumi.log.warn(fake_secret("key")),
    "on standard output": lambda: print(fake_secret("key")),  # noqa: T201 - what must be caught
}


@pytest.fixture
def output(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Yield a function that returns all logs and output of a run at the most verbose level."""
    with caplog.at_level(logging.DEBUG):
        yield lambda: caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS.keys())
def test_a_planted_leak_is_found(leak: Callable[[], object], output: Callable[[], str]) -> None:
    """Without this, the tests below would prove nothing."""

    def body() -> None:
        leak()

    assert find_leaks(record(body), output()) != []


def test_a_marked_secret_is_no_leak(output: Callable[[], str]) -> None:
    """Otherwise the tests below could not pass."""

    def body() -> None:
        pulumi.export("key", pulumi.Output.secret(fake_secret("key")))

    monitor = record(body)
    assert monitor.exports == {"key": Secret(fake_secret("key"))}
    assert find_leaks(monitor, output()) == []


def test_the_program_shows_nothing_secret(runs: Runs, stack: str, output: Callable[[], str], *, preview: bool) -> None:
    """Fake keys, tokens and kubeconfigs all contain a marker text, which must not appear anywhere."""
    monitor = runs.stack(stack).run(preview=preview)
    assert find_leaks(monitor, output()) == []
    assert preview or secrets_in(monitor)


def test_a_brought_root_key_is_not_shown(runs: Runs, output: Callable[[], str], *, preview: bool) -> None:
    """No line of the key is shown."""
    key = pems.make_key()
    pem = pems.key_pem(key)
    lines = pems.secret_lines(pem)
    stack = with_root(runs.stack(LAB), pems.make_root(key), pem)
    monitor = stack.run(preview=preview)
    assert find_leaks(monitor, output(), secrets=(MARK, *lines)) == []
    assert lines[0] in str([secret.value for secret in secrets_in(monitor)])


def with_root(stack: Stack, certificate: str, key: str) -> Stack:
    """Return the stack with a provided root."""
    values = put(stack.values, ("trust", "rootCertificate"), certificate)
    return replace(stack, values=values, secrets={**stack.secrets, "rootPrivateKey": key})


def secrets_in(monitor: RecordingMonitor) -> list[Secret]:
    """Return all secrets in the inputs of resources."""
    return [secret for found in monitor.recorded for secret in marked(found.inputs)]


def marked(value: object) -> Iterator[Secret]:
    """Yield the secrets in a value."""
    match value:
        case Secret():
            yield value
        case dict():
            for item in value.values():
                yield from marked(item)
        case list():
            for item in value:
                yield from marked(item)
        case _:
            assert value is None or isinstance(value, str | int | float | Unknown | Reference)


def test_secrets_go_only_where_secrets_are_kept(runs: Runs, stack: str) -> None:
    """Helm values, ConfigMaps, annotations and names do not even contain marked secrets."""
    monitor = runs(stack)
    places = {
        (found.type, key) for found in monitor.recorded for key, value in found.inputs.items() if has_secret(value)
    }
    unused = {(type_, key) for type_, key in KEEPERS_OF_SECRETS if stack == LAB and "rancher2" in type_}
    assert places == KEEPERS_OF_SECRETS - unused
    assert not [found.name for found in monitor.recorded if has_secret(found.replacement_trigger)]


def test_exports_hold_nothing_secret(runs: Runs, stack: str) -> None:
    """They contain no marked secrets either, because a reader of the exports does not need a key."""
    assert not has_secret(runs(stack).exports)


@pytest.mark.parametrize(
    "type_",
    [
        recording.RANCHER_PROVIDER,
        recording.RANCHER_TOKEN,
        recording.KUBERNETES_PROVIDER,
        recording.PRIVATE_KEY,
        recording.LOCALLY_SIGNED_CERT,
        recording.SECRET,
        recording.CHART,
    ],
)
def test_a_failure_quotes_nothing_secret(runs: Runs, output: Callable[[], str], type_: str) -> None:
    """No secret is in the exception or in the log, for any inputs of the failed resource."""

    def fail(_: Registration) -> Outcome:
        raise RuntimeError("the API server is gone")

    monitor = RecordingMonitor(preview=False, stack=RANCHER, makers={type_: fail})
    with pytest.raises(Exception, match="the API server is gone") as caught:
        runs.stack(RANCHER).run_on(monitor)
    assert find_leaks(monitor, output(), str(caught.value)) == []


def test_settings_have_no_secret_in_their_repr(runs: Runs, stack: str) -> None:
    """A traceback with local variables shows the repr."""
    shown: list[str] = []

    def body() -> None:
        shown.append(repr(load(pulumi.Config())))

    monitor = RecordingMonitor(preview=False, stack=stack)
    runs.stack(stack).run_on(monitor, body)
    assert "Secrets(" in shown[0]
    assert find_leaks(monitor, *shown) == []
