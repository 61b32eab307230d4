"""The one error that ends a command early."""


class OpsError(Exception):
    """
    Bad usage or bad config: the command cannot begin.

    Its text is complete for a person (what is wrong, how to mend it) and never holds a secret.
    """
