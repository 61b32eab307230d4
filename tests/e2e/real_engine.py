"""Checks that Pulumi and every plugin of the program are installed, because tests download none."""

import json
import shutil
import subprocess

from lab.engines import find_pulumi

PLUGINS = ("kubernetes", "random", "rancher2", "tls")


def missing() -> str:
    """Return what is missing; empty if nothing is."""
    pulumi, reason = find_pulumi(may_install=False)
    if pulumi is None:
        return reason
    listed = subprocess.run([pulumi, "plugin", "ls", "--json"], capture_output=True, check=True).stdout  # noqa: S603
    installed = {plugin["name"] for plugin in json.loads(listed) if plugin["kind"] == "resource"}
    # Pulumi also uses plugins on the PATH.
    lacking = [name for name in PLUGINS if name not in installed and not shutil.which(f"pulumi-resource-{name}")]
    return f"no plugin {', '.join(lacking)}" if lacking else ""
