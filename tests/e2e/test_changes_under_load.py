"""Audiences and versions are added and removed while requests are sent."""

from typing import Any

import pytest

from lab.engines import Engine
from tests.e2e.checkout import Checkout, faults_once_settled
from tests.e2e.load import requests_to
from tests.e2e.test_engines import ingresses

pytestmark = pytest.mark.e2e

BOTH = ["v1", "v2"]
TEAM = {"name": "team", "version": "v1", "header": {"name": "x-team", "exact": "yes"}}
EVERYONE = {"name": "everyone", "version": "v1", "header": {"name": "accept", "prefix": "*"}}
STEPS: dict[str, dict[str, Any]] = {
    "audiences come": {"audiences": [TEAM, EVERYONE]},
    "their order changes": {"audiences": [EVERYONE, TEAM]},
    "audiences go": {},
    "v2 leaves a cluster": {"west": ["v1"]},
    "v2 leaves the mesh": {"east": ["v1"], "west": ["v1"], "v2Weight": 0},
    "v2 runs and gets no requests": {"v2Weight": 0},
    "v2 gets its share": {},
}
"""What each step changes in the default mesh, which has both versions everywhere, a weight of 50 and no audience."""
ENOUGH_REQUESTS = 100


@pytest.fixture(scope="module")
def urls(checkout: Checkout, engine: Engine) -> list[str]:
    """Deploy the default mesh, and return the ingress of each cluster."""
    configure(checkout, {})
    checkout.deploy("up", engine).must_succeed()
    assert faults_once_settled(checkout) == []
    return ingresses(engine, checkout)


def configure(checkout: Checkout, step: dict[str, Any]) -> None:
    """Write a step's values into the stack's config."""
    clusters = [{**cluster, "versions": step.get(cluster["name"], BOTH)} for cluster in checkout.config("clusters")]
    weight, audiences = step.get("v2Weight", 50), step.get("audiences", [])
    checkout.configure(clusters=clusters, v2Weight=weight, audiences=audiences)


def test_no_request_is_lost_to_what_comes_and_goes(checkout: Checkout, engine: Engine, urls: list[str]) -> None:
    """Each step is one `up`. Both ingresses get requests all the time, and a failed request is not repeated."""
    seen = {}
    for step, differences in STEPS.items():
        configure(checkout, differences)
        with requests_to(urls) as outcomes:
            checkout.deploy("up", engine).must_succeed()
        seen[step] = dict(outcomes)
    assert {step for step, outcomes in seen.items() if set(outcomes) != {"200"}} == set(), seen
    assert min(outcomes["200"] for outcomes in seen.values()) > ENOUGH_REQUESTS, seen
