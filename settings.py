"""
The one reader of stack config: typed, validated, and every error names its key.

`parse` turns plain values into `Settings` and is all that tools beside the program need. `load` is what the program
calls: it adds the secrets, reads the kubeconfigs and asks Rancher, and it fails before any resource is registered.
"""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pulumi
from cryptography import x509
from pulumi.runtime import config as pulumi_config
from pydantic import ValidationError
from pydantic_core import ErrorDetails

import rancher_api
from mesh import root_ca
from mesh.kubeconfigs import Endpoint, read_endpoint
from schema import (
    Cluster,
    Credential,
    Installer,
    KubeconfigAccess,
    Project,
    Quota,
    Rancher,
    RancherAccess,
    Settings,
    known_keys,
)
from sections import NAMESPACE
from traffic_schema import Audience, Version

__all__ = [
    "NAMESPACE",
    "Audience",
    "Cluster",
    "ConfigError",
    "Credential",
    "Installer",
    "KubeconfigAccess",
    "Project",
    "Quota",
    "Rancher",
    "RancherAccess",
    "Secrets",
    "Settings",
    "Version",
    "load",
    "parse",
]

RANCHER_TOKEN = "rancherToken"  # noqa: S105 - the name of a config key
ROOT_PRIVATE_KEY = "rootPrivateKey"
SECRET_KEYS = (RANCHER_TOKEN, ROOT_PRIVATE_KEY)
ACCESS_KINDS = ("kubeconfig", "rancher")
SHOWN_MAX = 80
PATH_SHOWN_MAX = 255
A_KIND = f"allowed is {' or '.join(ACCESS_KINDS)}"
ALLOWED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "enum": "{expected}",
    "model_attributes_type": "a mapping",
    "model_type": "a mapping",
    "path_type": "the path of a file",
    "string_type": "a text, which needs quotes where YAML would read something else",
    "too_short": "a list of {min_length} or more",
    "tuple_type": "a list",
}
"""By pydantic's type of an error. Any other says itself what is allowed, and its value may be a secret."""
UNREADABLE = {RuntimeError: "nobody of that name has a home folder", UnicodeDecodeError: "it is not text"}


class ConfigError(pulumi.RunError):
    """Config that cannot work. The text names each key, what was got, what is allowed and how to mend it."""


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What must stay encrypted: each an Output that the engine knows as secret."""

    kubeconfigs: Mapping[str, pulumi.Output[str]] = field(default_factory=dict, repr=False)
    """Kubeconfig text by cluster name, for access `kubeconfig`."""
    servers: Mapping[str, Endpoint] = field(default_factory=dict, repr=False)
    """Where each of these kubeconfigs leads; not secret."""
    cluster_ids: Mapping[str, str] = field(default_factory=dict)
    """Rancher's id of each cluster with access `rancher`, by the cluster's name; not secret."""
    rancher_token: pulumi.Output[str] | None = field(default=None, repr=False)
    root_private_key: pulumi.Output[str] | None = field(default=None, repr=False)


def parse(values: Mapping[str, object]) -> Settings:
    """
    Check the plain config values, given by key without the `mcsps:` prefix.

    Raises:
        ConfigError: One line for each key that is wrong.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [_describe(detail) for detail in error.errors(include_url=False)]
        raise ConfigError("the stack's config cannot work:\n" + "\n".join(f"  {line}" for line in lines)) from None


def load(config: pulumi.Config) -> tuple[Settings, Secrets]:
    """
    Read and check the whole stack config: kubeconfig files, and by a look-up what is said of Rancher, included.

    Raises:
        ConfigError: What is wrong, by key. Nothing secret is quoted.
    """
    prefix = f"{config.name}:"
    keys = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    names = [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]
    _refuse_other_secrets(config, names)
    settings = parse({name: _plain(config, name) for name in names if name not in SECRET_KEYS})
    secrets = {name: _secret(config, name) for name in SECRET_KEYS}

    key_pem = secrets[ROOT_PRIVATE_KEY]
    _check_root_key(settings.trust.root_certificate, key_pem)
    if settings.rancher is not None and secrets[RANCHER_TOKEN] is None:
        raise ConfigError(
            f"{prefix}{RANCHER_TOKEN}: missing; set it: pulumi config set --secret {prefix}{RANCHER_TOKEN}"
        )
    kubeconfigs = {
        cluster.name: _read_kubeconfig(f"{prefix}clusters[{index}].access.path", cluster.access.path)
        for index, cluster in enumerate(settings.clusters)
        if isinstance(cluster.access, KubeconfigAccess)
    }
    token = secrets[RANCHER_TOKEN]
    cluster_ids = _look_up(settings, settings.rancher, token) if settings.rancher is not None and token else {}
    return settings, Secrets(
        kubeconfigs={name: pulumi.Output.secret(text) for name, (text, _) in kubeconfigs.items()},
        servers={name: endpoint for name, (_, endpoint) in kubeconfigs.items()},
        cluster_ids=cluster_ids,
        rancher_token=pulumi.Output.secret(token) if token else None,
        root_private_key=pulumi.Output.secret(key_pem) if key_pem else None,
    )


def _plain(config: pulumi.Config, name: str) -> object:
    text = config.get(name)
    try:
        return json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return text


def _is_secret(key: str) -> bool:
    return pulumi_config.is_config_secret(key) or key in pulumi_config.get_config_secret_keys_env()


def _refuse_other_secrets(config: pulumi.Config, names: Iterable[str]) -> None:
    for key in (config.full_key(name) for name in sorted(names) if name not in SECRET_KEYS):
        if _is_secret(key):
            raise ConfigError(
                f"{key}: is stored as a secret, and would be shown in plans and error messages all the same; "
                f"allowed as secrets: {', '.join(SECRET_KEYS)}"
            )


def _secret(config: pulumi.Config, name: str) -> str | None:
    text = config.get(name)
    key = config.full_key(name)
    if text and not _is_secret(key):
        raise ConfigError(
            f"{key}: is stored in plain text; allowed is a secret alone. "
            f"Treat it as leaked, make a new one, and: pulumi config set --secret {key}"
        )
    return text or None


def _check_root_key(certificate: x509.Certificate | None, key_pem: str | None) -> None:
    if (certificate is None) != (key_pem is None):
        has, lacks = "trust.rootCertificate", ROOT_PRIVATE_KEY
        if key_pem:
            has, lacks = lacks, has
        raise ConfigError(f"{NAMESPACE}:{lacks}: missing, and {NAMESPACE}:{has} is set; bring both or neither")
    if certificate is not None and key_pem is not None:
        try:
            root_ca.check_key_fits(certificate, key_pem)
        except ValueError as error:
            raise ConfigError(
                f"{NAMESPACE}:{ROOT_PRIVATE_KEY}: {error}; set the key of {NAMESPACE}:trust.rootCertificate"
            ) from None


def _read_kubeconfig(key: str, path: Path) -> tuple[str, Endpoint]:
    try:
        text = path.expanduser().read_text()
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else UNREADABLE[type(error)]
        shown = _show(str(path), at_most=PATH_SHOWN_MAX)
        raise ConfigError(f"{key}: {shown} cannot be read: {reason}; name a readable kubeconfig") from None
    try:
        return text, read_endpoint(text)
    except ValueError as error:
        raise ConfigError(f"{key}: the kubeconfig '{path}' {error}; name one that kubectl can use") from None


def _look_up(settings: Settings, rancher: Rancher, token: str) -> Mapping[str, str]:
    accesses = [
        (index, cluster, cluster.access)
        for index, cluster in enumerate(settings.clusters)
        if isinstance(cluster.access, RancherAccess)
    ]
    wanted = rancher_api.Wanted(
        url=rancher.url,
        ca_certs=rancher.ca_certs,
        token=token,
        token_ttl_hours=rancher.token_ttl_hours,
        makes_users=rancher.peers_user
        and any(cluster.credential is Credential.RANCHER_TOKEN for _, cluster, _ in accesses),
        clusters={
            cluster.name: rancher_api.WantedCluster(
                key=f"clusters[{index}].access", id=access.cluster_id, name=access.cluster_name
            )
            for index, cluster, access in accesses
        },
    )
    try:
        return rancher_api.look_up(wanted)
    except rancher_api.LookUpError as error:
        raise ConfigError(f"{NAMESPACE}:{error.key}: {error}") from None


def _describe(detail: ErrorDetails) -> str:
    key, said, got = _key(detail["loc"]), detail["msg"].removeprefix("Value error, "), detail["input"]
    match detail["type"]:
        case _ if said.startswith(f"{NAMESPACE}:"):
            return said
        case "extra_forbidden":
            text = _describe_unknown_key(*detail["loc"])
        case "missing":
            text = f"{key}: missing; set it in Pulumi.<stack>.yaml"
        case "union_tag_not_found":
            text = f"{key}.kind: missing; {A_KIND}"
        case "union_tag_invalid":
            text = f"{key}.kind: got {_show(detail['ctx']['tag'])}; {A_KIND}"
        case "value_error" if not isinstance(got, Mapping | list):
            text = f"{key}: got {_show(got)}; {said}"
        case type_ if type_ in ALLOWED:
            text = f"{key}: got {_show(got)}; allowed is {ALLOWED[type_].format(**detail.get('ctx', {}))}"
        case _:
            text = f"{key}: {said}"
    return text


def _key(place: Sequence[int | str]) -> str:
    # Pydantic puts the chosen kind of a tagged union into the place; the user's file has no such level.
    parts = [part for before, part in pairwise(("", *place)) if before != "access" or part not in ACCESS_KINDS]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return f"{NAMESPACE}:{text.lstrip('.')}".removesuffix(":")


def _describe_unknown_key(*place: int | str) -> str:
    *section, key = place
    allowed = known_keys(section)
    close = difflib.get_close_matches(str(key), allowed, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else "."
    return f"{_key(section)}: unknown key {_show(key)}{hint} Allowed: {', '.join(allowed)}"


def _show(got: object, at_most: int = SHOWN_MAX) -> str:
    if isinstance(got, Mapping):
        return "a mapping"
    if isinstance(got, list):
        return f"a list of {len(got)}"
    shown = json.dumps(got) if got is None or isinstance(got, bool) else repr(got)
    # Long or of several lines is a key, a token or a kubeconfig, which maybe belongs under a secret key.
    is_open = len(shown) <= at_most and str(got).isprintable()
    return shown if is_open else f"a value of {len(str(got))} characters"
