"""The ways in which the directory does not tell what it was asked, each with what a person can do about it."""


class GraphError(Exception):
    """The directory did not tell. `message` says what happened, `remedy` what a person can do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"


class Unreachable(GraphError):
    """No answer came."""


class Throttled(GraphError):
    """It wants to be left alone for longer than we may wait."""


class Forbidden(GraphError):
    """The portal may not ask this, whoever it is about."""


class Failed(GraphError):
    """The answer to this one question is an error, or cannot be read; nothing follows from it."""


class NotThere(GraphError):
    """The directory knows no such object, and says so in its own words."""


class LinkTooOld(GraphError):
    """What has changed since this link can no longer be told: everything must be read anew."""
