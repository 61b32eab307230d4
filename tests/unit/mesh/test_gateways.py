"""One entry creates a gateway, and each gateway is found by its properties, not its position."""

import pytest

from mesh import gateways
from mesh.gateways import GATEWAYS, Gateway
from tests.support import recording
from tests.support.runs import Runs
from tests.support.stacks import LAB, OPERATOR

FOURTH = Gateway(role="partners", release="istio-partnersgateway", service_type="LoadBalancer", ports={"https": 443})


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add another gateway after the east-west gateway."""
    monkeypatch.setattr(gateways, "GATEWAYS", (*GATEWAYS, FOURTH))


@pytest.mark.usefixtures("four")
def test_a_fourth_gateway_gets_its_service_and_its_chart(runs: Runs) -> None:
    """Each cluster gets both. Resources that depend on the east-west gateway still depend on that one."""
    monitor = runs.stack(LAB).run()
    services = {found.inputs["metadata"]["name"] for found in monitor.find_all(recording.SERVICE)}
    assert FOURTH.release in services
    charts = monitor.find_all(recording.CHART)
    assert sum(found.inputs["name"] == FOURTH.release for found in charts) == 2
    waiting = monitor.find(recording.GATEWAY, "east-istio-cross-network-gateway")
    needs = {name.partition(":")[0] for name in monitor.depends_on(waiting)}
    assert "east-istio-eastwestgateway" in needs
    assert "east-istio-partnersgateway" not in needs


@pytest.mark.usefixtures("four")
def test_the_operator_is_told_of_a_fourth_gateway(runs: Runs) -> None:
    """The spec of the control plane has an entry for it, and the gateway has a Service."""
    monitor = runs.stack(OPERATOR).run()
    specs = [
        found.inputs["spec"]
        for found in monitor.find_all(recording.ISTIO_OPERATOR)
        if found.inputs["metadata"]["name"] == "control-plane"
    ]
    assert all(FOURTH.release in str(spec["components"]["ingressGateways"]) for spec in specs)
