"""Label selectors of Kubernetes, and the labels that they select by."""

from collections.abc import Iterable, Mapping

from policies.lib.values import UNKNOWN, items, look

Labels = Mapping[str, object]


def may_select(selector: object, labels: Labels) -> bool:
    """Whether a label selector selects these labels, or could, as far as is known; an empty selector selects all."""
    wanted = look(selector, "matchLabels")
    pairs = wanted.items() if isinstance(wanted, Mapping) else ()
    of_labels = all(UNKNOWN in (value, labels.get(key)) or labels.get(key) == value for key, value in pairs)
    return of_labels and all(_may_match(found, labels) for found in items(look(selector, "matchExpressions")))


def selects_all(selector: object) -> bool:
    """Whether a label selector selects objects whatever their labels are."""
    if not isinstance(selector, Mapping):
        return False
    return all(selector.get(key) in (None, {}, []) for key in ("matchLabels", "matchExpressions"))


def may_select_any(selector: object, of: Iterable[Labels]) -> bool:
    """Whether a label selector may select one of several sets of labels; with none given it may."""
    known = list(of)
    return not known or any(may_select(selector, labels) for labels in known)


def _may_match(expression: object, labels: Labels) -> bool:
    key, operator, values = (look(expression, part) for part in ("key", "operator", "values"))
    if UNKNOWN in (expression, key, operator, values) or not isinstance(key, str):
        return True
    got, wanted = labels.get(key), items(values)
    if got is UNKNOWN or UNKNOWN in wanted:
        return True
    matches = {
        "In": got in wanted,
        "NotIn": got not in wanted,
        "Exists": got is not None,
        "DoesNotExist": got is None,
    }
    return matches.get(str(operator), True)
