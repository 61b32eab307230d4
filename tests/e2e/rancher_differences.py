"""
The known differences between the double and a real Rancher, with their reasons.

docs/rancher-lab.md describes what they mean for clients. Remove a difference that no longer occurs.
"""

from tests.e2e.rancher_comparison import Known

_MORE = "what only a whole Rancher has"
_WEBHOOK = "Rancher's webhook, a separate program in the cluster, did not run and so did not write or refuse it"
_LOCAL = "Rancher passes what is for its own cluster on without a look at the token: Kubernetes refuses it"
_UNSEEN = "a cluster that is not visible: Rancher treats a token for another cluster as no token"
_LATER = "Rancher's controllers come to it a little later"

_ABSENT = (
    ("*", "headers.x-api-schemas", "clients read it in the answers of the two indexes alone"),
    ("*", "headers.content-type", "an answer without a body"),
    ("*", "body*.links.*", _MORE),
    ("*", "body*.actions.*", _MORE),
    ("*", "body*.createTypes.*", _MORE),
    ("*", "body*.filters.*", "the used filters are not returned"),
    ("*", "body.sort.links.*", _MORE),
    ("*", "body.*.type", "objects inside others do not say their type"),
    ("*", "body*.annotations.lifecycle.cattle.io/*", "there are no finalizers, and so no marks of them"),
    ("*", "body*.annotations.cleanup.cattle.io/*", "nothing is ever brought up from an older version"),
    ("*", "body*.conditions*", "conditions are few, and those of projects and users without times"),
    ("*", "body.removed*", "deletion is at once"),
    ("*", "body*.labels.management.cattle.io/roletemplate-aggregation", "roles are not aggregated"),
    ("*", "body*.labels.cattle.io/last-login", "the time of the last login is not stored"),
    ("*", "body.description", "a missing description is omitted"),
    ("who is the administrator", "body.data*", _MORE),
    ("*user is *", "body.me", "the double does not mark the requesting user"),
    ("schema *", "body.*", "schemas say what is spoken here, and no more"),
    ("the index of a cluster", "body.*", _MORE),
    ("clusters by name", "body.data*", _MORE),
    ("registration tokens", "body.data*", "no cluster is registered, and the commands do nothing"),
    ("a global role is bound", "body.ownerReferences*", "there is no garbage collection"),
    ("the binding in the cluster is removed", "body.status.*", "bindings have no status"),
    (
        "bindings in a namespace",
        "body.items*.metadata.labels.*",
        "of Rancher's labels, one is enough to find them again",
    ),
)
KNOWN = (
    *(Known(*it, is_absence=True) for it in _ABSENT),
    Known("*project*", "headers.x-api-schemas", "there is no API of one project"),
    Known("clusters by *", "headers.x-api-schemas", "clients read it in the answers of the two indexes alone"),
    Known("*a kubeconfig", "headers.x-api-schemas", "clients read it in the answers of the two indexes alone"),
    Known("schema *", "body.resourceFields*", "types are as fine as clients need them"),
    Known("the index", "body.links.schemas", "the double returns it twice"),
    Known("the CA's certificates", "body.links.update", "a change is refused only when it is tried"),
    Known("*setting*", "body.links.update", "a change is refused only when it is tried"),
    Known("the index of a cluster", "body.*", "another cluster, which was created in another way"),
    Known("clusters by name", "body.data*", "another cluster, which was created in another way"),
    Known("registration tokens", "body.*", "no cluster is registered, and the commands do nothing"),
    Known("an unauthenticated request to the proxy", "*", _LOCAL),
    Known("*through the proxy", "*", _LOCAL),
    Known("a removed user's token", "*", _LOCAL),
    Known("a token of another cluster asks the proxy for *", "body.*", _LOCAL),
    Known("* asks the proxy of another cluster", "*", _UNSEEN),
    Known("a project of a cluster that there is not", "body.message", _WEBHOOK),
    Known("*project*", "body*.annotations.authz.management.cattle.io/creator-role-bindings.*", _WEBHOOK),
    Known("*project*", "body*.backingNamespace", _WEBHOOK),
    Known("*project*", "body*.description", "a missing description is empty"),
    Known("*project*", "body*.conditions*", _LATER, is_passing=True),
    Known("*project*", "body*.state", _LATER, is_passing=True),
    Known("*project*", "body*.transitioning", _LATER, is_passing=True),
    Known("*project* removed", "body.[st]*", "deletion is at once"),
    Known("a namespace * read", "body.annotations.cattle.io/status.*", _LATER, is_passing=True),
    Known("bindings in a namespace", "body.items*", "Rancher binds to a role that gathers others"),
    Known("*token*", "body.userPrincipal", "Rancher writes down an object as text"),
    Known("a token is changed", "*", "Rancher's schema offers what it has no store for"),
    Known("a role*", "body.rules*", "objects inside others do not say their type"),
    Known("*binding*", "body.userPrincipalId", _LATER, is_passing=True),
    Known("a role is bound *", "body.userPrincipalId", _LATER, is_passing=True),
    Known("the global binding is removed", "*", "deletion is at once, and Rancher finds nothing more to show"),
    Known("a namespace that its project let go of", "body.metadata.*", _LATER, is_passing=True),
)
OF_ISOLATION = (
    Known(
        "*policies", "body.items[[]hn-nodes]*", "a node of the lab states no range for its pods: Rancher leaves it out"
    ),
)
