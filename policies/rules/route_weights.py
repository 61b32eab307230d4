"""The weights of a route sum to 100 percent."""

from collections.abc import Iterator

from policies.lib import routing
from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, items, look, show, whole_number

PROTOCOLS = ("http", "tcp", "tls")
RULE = Rule(
    name="mcsps-routing-weights",
    description="The weights of each route of a VirtualService sum to 100.",
    why=(
        "Weights that do not sum to 100 are not percentages: some versions of Istio refuse them, others scale "
        "them, so a version gets another share than its number says."
    ),
    limits="It does not see routes of another API, such as HTTPRoute, nor a delegate's routes outside the stack.",
    remedy="give each destination of the route a whole number from 0 to 100, so that they sum to 100",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Sum the weights of each route."""
    if not routing.is_virtual_service(resource):
        return
    for protocol in PROTOCOLS:
        for index, entry in enumerate(items(look(resource.properties, "spec", protocol))):
            weights = [look(destination, "weight") for destination in items(look(entry, "route"))]
            if UNKNOWN not in weights:
                yield from (f"{resource}: {fault}" for fault in _faults(f"spec.{protocol}[{index}]", weights))


def _faults(route: str, weights: list[object]) -> Iterator[str]:
    if weights in ([], [None]):
        # Without destinations it is a redirect or a direct response; one destination without a weight gets everything.
        return
    numbers = [0 if weight is None else whole_number(weight) for weight in weights]
    wrong = [
        weight
        for weight, number in zip(weights, numbers, strict=True)
        if number is None or not 0 <= number <= routing.ALL
    ]
    if wrong:
        yield f"{route} has the weight {show(wrong[0])}"
    elif (total := sum(number or 0 for number in numbers)) != routing.ALL:
        yield f"the weights of {route} are {', '.join(map(str, numbers))} and sum to {total}"


POLICY = resource_policy(RULE, check)
