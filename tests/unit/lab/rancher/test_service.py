"""The lab's Rancher as one of its processes."""

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
    """Have the lab's state in a folder of the test's."""
    for module in (spec, service):
        monkeypatch.setattr(module, "STATE_DIR", tmp_path / "state")
    return tmp_path / "state"


def test_its_address_is_nobody_else_s() -> None:
    """Neither the host's, nor a node's, nor in a pool of load balancers."""
    taken = {spec.HOST_ADDRESS.ip, *(it.address for it in clusters(MAX_CLUSTERS))}
    assert service.INTERFACE.ip not in taken
    assert not any(service.INTERFACE.ip in it.pool for it in clusters(MAX_CLUSTERS))


def test_its_configuration_reads_back_and_holds_no_secret(state: Path) -> None:
    """The keys are where they are; only their paths are told."""
    told = service.server_config((EAST, WEST), is_isolated=True)
    path = state / "config.yaml"
    path.parent.mkdir()
    path.write_text(config.render(told))
    assert config.read(path) == told
    assert [(it.id, it.name) for it in told.clusters] == [("c-lab01", "east"), ("c-lab02", "west")]
    assert "PRIVATE KEY" not in path.read_text()


def test_a_new_certificate_calls_for_a_new_process(state: Path) -> None:
    """And nothing does while all stays as it is."""
    for each in (EAST, WEST):
        pki.ensure(each)
    pki.ensure_server(service.PLACE.pki, "test", pki.Subject("rancher", "rancher", hosts=("rancher",)))
    told = service.server_config((EAST, WEST), is_isolated=False)
    service.PLACE.config.write_text(config.render(told))
    before = service.component(told).digest()
    assert service.component(told).digest() == before
    (service.PLACE.pki / "rancher.crt").write_text("another")
    assert service.component(told).digest() != before
    assert state in service.PLACE.config.parents


def test_a_lab_without_one_says_how_to_have_one(state: Path) -> None:
    """Where somebody asks for its log."""
    assert not state.exists()
    assert not service.is_wanted()
    with pytest.raises(UserError, match="--rancher"):
        service.log()


@pytest.fixture
def asked(state: Path, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Let `up` make nothing; say with what the server was asked for."""
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
    """Without the option nothing of it is there, and nothing is said of it."""
    done = CliRunner().invoke(cli.app, ["up", *options])
    assert done.exit_code == 0, done.output
    assert asked == expected
    assert "Rancher" not in done.output


def test_a_lab_that_has_one_keeps_it(asked: list[bool]) -> None:
    """`up` again heals it like everything else, and says where it is."""
    service.PLACE.config.parent.mkdir(parents=True)
    service.PLACE.config.write_text("clusters: []")
    done = CliRunner().invoke(cli.app, ["up"])
    assert asked == [False]
    assert service.URL in done.output


def test_the_server_s_first_words_say_what_it_is_and_what_it_is_not() -> None:
    """In the log as in the package."""
    assert "stand-in" in WHAT_IT_IS
    assert "It is not Rancher" in WHAT_IT_IS
    assert "it is not Rancher" in str(rancher.__doc__).splitlines()[1]
