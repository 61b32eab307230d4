"""The policy pack as Pulumi starts it: by this folder, so that `rules` is found in it and not in the project."""

from pulumi_policy import EnforcementLevel, PolicyPack
from rules import POLICIES  # type: ignore[import-not-found]

PolicyPack("mcsps", policies=list(POLICIES), enforcement_level=EnforcementLevel.MANDATORY)
