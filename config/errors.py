"""The error of a stack config that cannot work."""

import pulumi


class ConfigError(pulumi.RunError):
    """Config that cannot work. The text names each key, what was got, what is allowed and how to mend it."""
