"""Rancher's checks of the quotas of projects and namespaces, with its texts: pure."""

from collections.abc import Iterable, Mapping

from lab.rancher import quantities, quotas
from lab.rancher.errors import ApiError, invalid
from lab.rancher.quotas import Fit, Limit
from lab.rancher.store import Document

PROJECT_QUOTA = "resourceQuota"
DEFAULT_QUOTA = "namespaceDefaultResourceQuota"


def check_project(project: Mapping[str, Document]) -> None:
    """Refuse a project whose quota and default quota are inconsistent."""
    quota, default = project.get(PROJECT_QUOTA), project.get(DEFAULT_QUOTA)
    if not quota and not default:
        return
    if not quota or not default:
        raise invalid("MissingRequired", "", PROJECT_QUOTA if default else DEFAULT_QUOTA)
    most, each = limit_of(quota), limit_of(default)
    _check_same_fields(each, most, DEFAULT_QUOTA, f"a {PROJECT_QUOTA}")
    _refuse(_fit(each, (), most), DEFAULT_QUOTA, "is negative on fields", "exceeds limits on fields")


def check_project_use(project: Mapping[str, Document], used: Limit, namespaces: int) -> None:
    """Refuse a quota that is too small for what a project's namespaces use, or for the default of all of them."""
    if not project.get(PROJECT_QUOTA):
        return
    most, each = limit_of(project[PROJECT_QUOTA]), limit_of(project[DEFAULT_QUOTA])
    kept = {key: quantity for key, quantity in used.items() if key in each}
    _refuse(_fit(kept, (), most), PROJECT_QUOTA, "is negative on fields", "is below the used limit on fields")
    added = {key: quantity for key, quantity in each.items() if key not in used}
    fit = _fit({}, [added] * namespaces, most)
    everywhere = "when applied to all namespaces in a project"
    if not fit.is_good:
        exceeded = quantities.render(fit.exceeded)
        raise invalid("MaxLimitExceeded", f"exceeds project limit on fields {exceeded} {everywhere}", DEFAULT_QUOTA)


def check_namespace(quota: Document | None, others: Iterable[Limit], project: Mapping[str, Document]) -> None:
    """Refuse a namespace whose quota lacks a field of its project's quota, or does not fit into it."""
    if not project.get(PROJECT_QUOTA):
        return
    limit = limit_of(quota or project.get(DEFAULT_QUOTA) or {})
    most = limit_of(project[PROJECT_QUOTA])
    _check_same_fields(limit, most, PROJECT_QUOTA, "a project quota")
    _refuse(_fit(limit, others, most), PROJECT_QUOTA, "negative on fields", "exceeds projectLimit on fields")


def limit_of(quota: Document) -> Document:
    """Return the limits of a quota without the empty ones."""
    return {key: it for key, it in (quota.get("limit") or {}).items() if it}


def _check_same_fields(limit: Limit, most: Limit, field_name: str, of: str) -> None:
    if len(limit) != len(most):
        raise invalid("MissingRequired", f"does not have all fields defined on {of}", field_name)
    for key in most:
        if key not in limit:
            raise invalid("MissingRequired", f"misses {key} defined on {of}", field_name)


def _fit(limit: Limit, others: Iterable[Limit], most: Limit) -> Fit:
    try:
        return quotas.fit(limit, others, most)
    except ValueError as error:
        raise ApiError(500, "ServerError", f"checking quota fit: {error}") from error


def _refuse(fit: Fit, field_name: str, negative: str, exceeds: str) -> None:
    if fit.is_good:
        return
    texts = [f"{negative}: {quantities.render(fit.negative)}"] if fit.negative else []
    texts += [f"{exceeds}: {quantities.render(fit.exceeded)}"] if fit.exceeded else []
    code = "InvalidState" if len(texts) > 1 else "MinLimitExceeded" if fit.negative else "MaxLimitExceeded"
    raise invalid(code, "; ".join(texts), field_name)
