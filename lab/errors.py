"""The one error that the lab shows to a person."""


class LabError(Exception):
    """Something that stops the lab, and how a person mends it."""

    def __init__(self, message: str, remedy: str) -> None:
        """Keep what is wrong (`message`) apart from what to do about it (`remedy`)."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """Message and remedy in one line, for logs and tracebacks."""
        return f"{self.message}. {self.remedy}"
