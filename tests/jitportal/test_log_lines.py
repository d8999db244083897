"""A production server's log: a line of JSON each, tracebacks that can be read, and no query strings."""

import json
import logging
import os
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
import structlog

from jitportal import logs
from jitportal.environment import PROJECT
from tests.jitportal.test_environment import PRODUCTION

# One request, as gunicorn would hand it over; nothing answers where the database and the broker should be.
SERVE = """
import os
import sys
from wsgiref.util import setup_testing_defaults
from django.conf import settings
os.environ["DJANGO_SETTINGS_MODULE"] = "jitportal.settings"
# The error page links its styles; here nobody has collected them.
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
from jitportal.wsgi import application
asked = {"PATH_INFO": sys.argv[1], "QUERY_STRING": sys.argv[2], "HTTP_COOKIE": sys.argv[3],
         "HTTP_HOST": "access.example.com", "HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "127.0.0.1"}
setup_testing_defaults(asked)
b"".join(application(asked, lambda status, headers: None))
"""
NOWHERE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}


def _lines(path: str, query: str, cookie: str = "") -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", SERVE, path, query, cookie],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **PRODUCTION, **NOWHERE},
        capture_output=True,
        text=True,
        check=False,
    )
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


def test_a_failure_is_logged_with_its_traceback() -> None:
    # Whose session it is cannot be found out, so Django's own logger tells of it.
    (line,) = _lines("/", "", "__Host-session=" + "a" * 32)
    assert (line["logger"], line["level"]) == ("django.request", "error")
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert "OperationalError" in line["exception"]
    assert "exc_info" not in line


def test_the_code_and_the_state_of_a_sign_in_are_not_logged() -> None:
    lines = _lines("/sign-in/entra/callback/", "code=SECRET-CODE&state=SECRET-STATE")
    assert {line["event"] for line in lines} >= {"request_started"}
    assert {line["request"] for line in lines if "request" in line} == {"GET /sign-in/entra/callback/"}
    assert "SECRET" not in json.dumps(lines)


def _failure(*, for_people: bool) -> str:
    """What is logged of a failure while a variable holds a secret."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.formatter(for_people=for_people, colours=False))
    logger = logging.getLogger("tests.failing")
    logger.addHandler(handler)
    token = "-".join(("SECRET", "TOKEN"))
    try:
        raise ValueError(f"the reason, {len(token)} letters long")
    except ValueError:
        structlog.get_logger("tests.failing").exception("sweep_failed", request="GET /?code=SECRET")
    finally:
        logger.removeHandler(handler)
    return written.getvalue()


def test_what_the_portal_itself_logs_of_a_failure_has_its_traceback() -> None:
    line = json.loads(_failure(for_people=False))
    assert (line["event"], line["level"], line["request"]) == ("sweep_failed", "error", "GET /")
    assert line["exception"].endswith("ValueError: the reason, 12 letters long")


@pytest.mark.parametrize("for_people", [True, False])
def test_no_log_shows_what_variables_held_when_something_failed(for_people: bool) -> None:
    said = _failure(for_people=for_people)
    assert "ValueError: the reason" in said
    assert "SECRET-TOKEN" not in said
