"""What a log line looks like, and what is left out of it."""

import re
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

# The secret of a link that signs in a local administrator; Django's own lines on refused pages name their path.
_LINK: Final = re.compile(r"(/sign-in/local/)[^/?\s]+")

# What every line begins with, whoever wrote it.
COMMON: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def without_query(_logger: Any, _method: str, line: EventDict) -> EventDict:
    """The line without the query string of its request: at sign-in the directory's `code` and `state` are in it."""
    request = line.get("request")
    if isinstance(request, str):
        line["request"] = request.partition("?")[0]
    return line


def without_links(_logger: Any, _method: str, line: EventDict) -> EventDict:
    """The line without the secret of a one-time link."""
    for key, value in line.items():
        if isinstance(value, str):
            line[key] = _LINK.sub(r"\1…", value)
    return line


def formatter(*, for_people: bool, colours: bool) -> structlog.stdlib.ProcessorFormatter:
    """Lines for a terminal that somebody reads, or a JSON object each with tracebacks as text."""
    last: list[Processor] = (
        # Plain: the richer kind prints every variable, sign-in tokens among them, and takes a second for each.
        [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)]
        if for_people
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=COMMON,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, without_query, without_links, *last],
    )


def configure() -> None:
    """Hands what structlog's loggers write on to Python's logging; the formatter does the rest."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *COMMON,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
