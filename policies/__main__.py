"""The policy pack, as Pulumi starts it: with this folder on the path, and not the project's."""

import sys
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policies.rules import POLICIES

PolicyPack("mcsps", policies=list(POLICIES), enforcement_level=EnforcementLevel.MANDATORY)
