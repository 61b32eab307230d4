"""
Queries each cluster before anything is registered: whether it answers, which cluster it is, and its version.

A cluster that does not answer would stop the update minutes later, in the middle of its changes.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from errors import UserError
from kube import connection
from kube import errors as kube_errors
from kube.connection import KubeconfigError

SECONDS = 4.0
"""How long to wait for a connection, and for each answer."""
_SYSTEM = "kube-system"


@dataclass(frozen=True, kw_only=True)
class ClusterQuery:
    """
    One cluster, as the program reaches it.

    Attributes:
        name: Its name in the config.
        key: Its config key, such as `mcsps:clusters[1]`.
        kubeconfig: The kubeconfig's text.
    """

    name: str
    key: str
    kubeconfig: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """
    What a cluster answers.

    Attributes:
        identity: The UID of its namespace kube-system, which a rebuilt cluster does not keep.
        version: The version of its API server, such as `v1.31.4`.
    """

    identity: str
    version: str


Ask = Callable[[Sequence[ClusterQuery]], Mapping[str, ClusterFacts]]
"""Queries clusters, as `ask` does; returns the facts by the cluster's name."""


def ask(queries: Sequence[ClusterQuery], *, timeout_seconds: float = SECONDS) -> Mapping[str, ClusterFacts]:
    """
    Query all clusters at the same time.

    Raises:
        UserError: A cluster does not answer or cannot be used, or two entries are the same cluster. The message names
            all such clusters and their keys, and never quotes a credential.
    """
    if not queries:
        return {}
    with ThreadPoolExecutor(len(queries)) as pool:
        answers = list(pool.map(lambda query: _try(query, timeout_seconds), queries))
    _raise_first([answer for answer in answers if isinstance(answer, UserError)])
    facts = {
        query.name: answer for query, answer in zip(queries, answers, strict=True) if isinstance(answer, ClusterFacts)
    }
    _check_distinct(queries, facts)
    return facts


def _try(query: ClusterQuery, timeout_seconds: float) -> ClusterFacts | UserError:
    try:
        return _query(query, timeout_seconds)
    except UserError as error:
        return error


def _raise_first(errors: Sequence[UserError]) -> None:
    if errors:
        first, *others = errors
        message = "; ".join([first.message, *(error.problem for error in others)])
        raise UserError(message, first.remedy, key=first.key)


def _query(query: ClusterQuery, timeout_seconds: float) -> ClusterFacts:
    try:
        configuration = connection.from_kubeconfig(query.kubeconfig)
    except KubeconfigError as error:
        raise UserError(f"its kubeconfig {error}", "Set one that kubectl can use", key=f"{query.key}.access") from None
    where = f"cluster {query.name} at {configuration.host}"
    with client.ApiClient(configuration) as api:
        try:
            version = client.VersionApi(api).get_code(_request_timeout=timeout_seconds)
            system = client.CoreV1Api(api).read_namespace(_SYSTEM, _request_timeout=timeout_seconds)
            identity = system.metadata and system.metadata.uid
        except ApiException as error:
            # The client reports a failure of TLS as an answer of status 0.
            raise (_refusal if error.status else _silence)(query, where, error) from None
        except HTTPError as error:
            raise _silence(query, where, error) from None
        except (AttributeError, ValueError):
            raise UserError(
                f"{where} does not answer as a Kubernetes API server",
                "Set a kubeconfig with the address of the API server",
                key=f"{query.key}.access",
            ) from None
    return ClusterFacts(identity=str(identity), version=str(version.git_version))


def _refusal(query: ClusterQuery, where: str, error: ApiException) -> UserError:
    if error.status in {401, 403}:
        return UserError(
            f"{where} refuses the credential of its access: {error.status} {error.reason}",
            f"Set a credential that can read the namespace {_SYSTEM} and change the program's objects",
            key=f"{query.key}.access",
        )
    return UserError(
        f"{where} answers {error.status} {error.reason}",
        f"Check its API server. {_move_away(query)}",
        key=query.key,
    )


def _silence(query: ClusterQuery, where: str, error: ApiException | HTTPError) -> UserError:
    if kube_errors.is_untrusted(error):
        return UserError(
            f"{where} has a certificate that its access does not trust: {kube_errors.reason(error)}",
            "Set the CA of the cluster in its access",
            key=f"{query.key}.access",
        )
    return UserError(
        f"{where} does not answer: {kube_errors.reason(error)}",
        f"Repair its connection. {_move_away(query)}",
        key=query.key,
    )


def _move_away(query: ClusterQuery) -> str:
    return f"Or set {query.key}.away to true, and run the update again to move the traffic to other clusters"


def _check_distinct(queries: Sequence[ClusterQuery], facts: Mapping[str, ClusterFacts]) -> None:
    seen: dict[str, ClusterQuery] = {}
    for query in queries:
        other = seen.setdefault(facts[query.name].identity, query)
        if other is not query:
            raise UserError(
                f"leads to the same cluster as {other.key}; allowed: a different cluster for each entry",
                "Set the access to the right cluster",
                key=f"{query.key}.access",
            )
