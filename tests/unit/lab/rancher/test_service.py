"""The lab's Rancher as a process of the lab."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from errors import UserError
from lab import cli, preflight, rancher, spec, teardown
from lab.build import images, toolchain
from lab.build.toolchain import Toolchain
from lab.clusters import cluster
from lab.machine import lock, mounts, network, pki
from lab.rancher import WHAT_IT_IS, config, service
from lab.spec import MAX_CLUSTERS, ClusterSpec, clusters

EAST, WEST = clusters(2)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the lab's state in a folder of the test."""
    for module in (spec, service):
        monkeypatch.setattr(module, "STATE_DIR", tmp_path / "state")
    return tmp_path / "state"


def test_its_address_is_nobody_else_s() -> None:
    """It differs from those of the host, the nodes and the load balancers."""
    taken = {spec.HOST_ADDRESS.ip, *(it.address for it in clusters(MAX_CLUSTERS))}
    assert service.INTERFACE.ip not in taken
    assert not any(service.INTERFACE.ip in it.pool for it in clusters(MAX_CLUSTERS))


def test_its_configuration_reads_back_and_holds_no_secret(state: Path) -> None:
    """The configuration contains the paths of the keys, and not the keys."""
    server_config = service.server_config((EAST, WEST), is_isolated=True)
    path = state / "config.yaml"
    path.parent.mkdir()
    path.write_text(config.render(server_config))
    assert config.read(path) == server_config
    assert [(it.id, it.name) for it in server_config.clusters] == [("c-lab01", "east"), ("c-lab02", "west")]
    assert "PRIVATE KEY" not in path.read_text()


def test_a_new_certificate_calls_for_a_new_process(state: Path) -> None:
    """Without a change there is no restart."""
    for each in (EAST, WEST):
        pki.ensure(each)
    pki.ensure_server(service.PLACE.pki, "test", pki.Subject("rancher", "rancher", hosts=("rancher",)))
    server_config = service.server_config((EAST, WEST), is_isolated=False)
    service.PLACE.config.write_text(config.render(server_config))
    before = service.component(server_config).digest()
    assert service.component(server_config).digest() == before
    (service.PLACE.pki / "rancher.crt").write_text("another")
    assert service.component(server_config).digest() != before
    assert state in service.PLACE.config.parents


def test_a_lab_without_one_says_how_to_have_one(state: Path) -> None:
    """A request for its log is an error."""
    assert not state.exists()
    assert not service.is_wanted()
    with pytest.raises(UserError, match="--rancher"):
        service.log()


@pytest.fixture
def asked(state: Path, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Make `up` create nothing; return the isolation with which it requested the server."""
    assert not state.exists()
    calls: list[bool] = []
    monkeypatch.setattr(lock, "_NAME", f"\0mcsps-lab-test-{state}")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    for module, name in (
        (teardown, "finish"),
        (preflight, "load_modules"),
        (preflight, "check"),
        (network, "ensure_fabric"),
        (network, "ensure_node"),
        (cluster, "ensure"),
        (mounts, "ensure_namespaces_dir"),
        (cli, "_publish"),
    ):
        monkeypatch.setattr(module, name, lambda *_: None)
    monkeypatch.setattr(toolchain, "ensure", lambda _: Toolchain(Path("/tools")))
    monkeypatch.setattr(images, "ensure", lambda *_: ())
    monkeypatch.setattr(cli, "existing", lambda: ())

    def ensure(_specs: tuple[ClusterSpec, ...], *, is_isolated: bool) -> None:
        calls.append(is_isolated)

    monkeypatch.setattr(service, "ensure", ensure)
    return calls


@pytest.mark.parametrize(
    ("options", "expected"),
    [([], []), (["--rancher"], [False]), (["--rancher-isolation"], [True])],
    ids=["none", "rancher", "isolation"],
)
def test_up_has_one_only_where_it_is_asked_for(asked: list[bool], options: list[str], expected: list[bool]) -> None:
    """Without the option there is no server, and no output mentions it."""
    done = CliRunner().invoke(cli.app, ["up", *options])
    assert done.exit_code == 0, done.output
    assert asked == expected
    assert "Rancher" not in done.output


def test_a_lab_that_has_one_keeps_it(asked: list[bool]) -> None:
    """A second `up` repairs it like all components, and prints its URL."""
    service.PLACE.config.parent.mkdir(parents=True)
    service.PLACE.config.write_text("clusters: []")
    done = CliRunner().invoke(cli.app, ["up"])
    assert asked == [False]
    assert service.URL in done.output


def test_the_server_s_first_words_say_what_it_is_and_what_it_is_not() -> None:
    """The log and the docstring of the package contain this text."""
    assert "test server" in WHAT_IT_IS
    assert "It is not Rancher" in WHAT_IT_IS
    assert "it is not Rancher" in str(rancher.__doc__).splitlines()[1]
