"""The metadata of documents: the fields of a new one, and the merge of an update."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from lab.rancher import names
from lab.rancher.store import Document


def timestamp(moment: datetime) -> str:
    """Return a moment in Kubernetes' format, in whole seconds of UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new(moment: datetime, creator: str | None) -> Document:
    """Return the fields that every new document has."""
    return {
        "annotations": {},
        "created": timestamp(moment),
        "createdTS": int(moment.timestamp()) * 1000,
        "creatorId": creator,
        "labels": {},
        "uuid": str(uuid.uuid4()),
    }


def merge(old: Mapping[str, str], new: Mapping[str, str] | None) -> dict[str, str]:
    """
    Return labels or annotations after an update.

    An update removes what it does not contain, except for Rancher's own keys (`cattle.io/`). Of these, it can set only
    those with `field.cattle.io/`.
    """
    if new is None:
        return dict(old)
    kept = {key: value for key, value in old.items() if "cattle.io/" in key}
    return kept | {key: value for key, value in new.items() if not _is_protected(key)}


def _is_protected(key: str) -> bool:
    is_field = key.startswith("field.cattle.io/")
    return "cattle.io/" in key and (not is_field or key == names.CREATOR_ID)
