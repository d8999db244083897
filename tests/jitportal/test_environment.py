"""Every environment variable is read strictly: what is wrong is said by name, with a remedy, all at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from jitportal import environment
from jitportal.environment import PROJECT
from jitportal.variables import REMEDIES

GUID = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-4000-8000-000000000002"
PRODUCTION = {
    "JITPORTAL_MODE": "production",
    "PORTAL_URL": "https://access.example.com",
    "ALLOWED_HOSTS": "access.example.com",
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMN",
    "DATABASE_URL": "postgres://portal:secret@db.example.com/portal",
    "REDIS_URL": "rediss://redis.example.com/0",
    "ENTRA_TENANT_ID": GUID,
    "ENTRA_CLIENT_ID": GUID,
    "ENTRA_CLIENT_SECRET": "secret",
    "ENTRA_ADMIN_GROUP_ID": GUID,
    "ENTRA_COMPLIANCE_GROUP_ID": OTHER,
    "AWS_REGION": "eu-central-1",
    "IDENTITY_CENTER_INSTANCE_ARN": "arn:aws:sso:::instance/ssoins-0123456789abcdef",
    "IDENTITY_STORE_ID": "d-0123456789",
    "AUDIT_SIGNING_KEY": "01" * 32,
}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with none of our variables in it, to be filled by the test."""
    for name in (*REMEDIES, "PGHOST", "PGHOSTADDR", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def refusal(variables: pytest.MonkeyPatch, **changes: str) -> str:
    for name, value in {**PRODUCTION, **changes}.items():
        variables.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as caught:
        environment.read()
    return str(caught.value)


def test_a_complete_production_environment_is_taken(variables: pytest.MonkeyPatch) -> None:
    for name, value in PRODUCTION.items():
        variables.setenv(name, value)
    found = environment.read()
    assert not found.embedded
    assert found.issuer == f"https://login.microsoftonline.com/{GUID}/v2.0"
    assert found.database["ENGINE"] == "django.db.backends.postgresql"


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "JITPORTAL_MODE"])
def test_a_missing_variable_is_named_with_its_remedy(variables: pytest.MonkeyPatch, name: str) -> None:
    message = refusal(variables, **{name: ""})
    assert f"  {name}: " in message
    assert REMEDIES[name] in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JITPORTAL_MODE", "prod"),
        ("SYNC_PEOPLE_MINUTES", "0"),
        ("SYNC_PEOPLE_MINUTES", "31"),
        ("SYNC_MOST_LEAVERS", "0"),
        ("SYNC_MOST_LEAVERS", "101"),
        ("SENSITIVE_FROM", "Production"),
        ("SENSITIVE_FROM", "4"),
        ("SENSITIVE_FROM", ""),
        ("PORT", "http"),
        ("PORT", "80"),
        ("PORTAL_URL", "http://access.example.com"),
        ("PORTAL_URL", "https://access.example.com/path"),
        ("PORTAL_URL", "https://access.example.com#top"),
        ("PORTAL_URL", "https://access.example.com?"),
        ("PORTAL_URL", "https://access.example.com:http"),
        ("PORTAL_URL", "https://["),
        ("PORTAL_URL", "https://portal@access.example.com"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "abc" * 20),
        ("ENTRA_CLIENT_SECRET", "  "),
        ("ALLOWED_HOSTS", "other.example.com"),
        ("ALLOWED_HOSTS", ".example.com"),
        ("ALLOWED_HOSTS", "access.example.com,.example.com"),
        ("REDIS_URL", "redis://["),
        ("ALLOWED_HOSTS", "*"),
        ("DATABASE_URL", "sqlite:///portal.sqlite3"),
        ("DATABASE_URL", "nonsense"),
        ("REDIS_URL", "http://redis"),
        ("EMAIL_URL", "nonsense"),
        ("FROM_EMAIL", "nobody"),
        ("ENTRA_TENANT_ID", "common"),
        ("ENTRA_ADMIN_GROUP_ID", "Admins"),
        ("ENTRA_GUESTS", "yes"),
        ("ENTRA_ADMIN_GROUP_ID", "role:"),
        ("ENTRA_ADMIN_GROUP_ID", "role:Portal Admin"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
        ("AWS_ROLE_ARN", "portal"),
        ("IDENTITY_CENTER_INSTANCE_ARN", "ssoins-0123456789abcdef"),
        ("OUTSTANDING_CAP", "16"),
        ("AUDIT_SIGNING_KEY", "00"),
        ("REQUEST_LAPSES_AFTER_HOURS", "0"),
        ("LONGEST_LEAD_DAYS", "-1"),
        ("OVERDUE_AFTER_SECONDS", "soon"),
        ("SESSION_IDLE_MINUTES", "4"),
        ("LOG_LEVEL", "LOUD"),
        ("TICKET_WEBHOOK_URL", "http://tickets.example.com/check"),
        ("TICKET_WEBHOOK_URL", "ftp://tickets.example.com/check"),
        ("TICKET_WEBHOOK_URL", "tickets.example.com"),
        ("TICKET_WEBHOOK_URL", "https://user:word@tickets.example.com/check"),
        ("TICKET_WEBHOOK_URL", "https://tickets.example.com/check#top"),
        ("TICKET_WEBHOOK_URL", "https://tickets.example.com/a check"),
        ("TICKET_WEBHOOK_URL", "https://tickets.example.com:port/"),
        ("TICKET_WEBHOOK_URL", "https://["),
        ("TICKET_WEBHOOK_SECRET", "short"),
        ("TICKET_WEBHOOK_SECRET", "abc" * 20),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(variables: pytest.MonkeyPatch, name: str, value: str) -> None:
    message = refusal(variables, **{name: value})
    assert f"  {name}: " in message
    assert REMEDIES[name] in message


def test_all_that_is_wrong_is_said_at_once(variables: pytest.MonkeyPatch) -> None:
    message = refusal(variables, SECRET_KEY="short", AWS_REGION="Frankfurt", LOG_LEVEL="LOUD")
    assert all(f"  {name}: " in message for name in ("SECRET_KEY", "AWS_REGION", "LOG_LEVEL"))


def test_a_secret_is_not_repeated_in_the_message(variables: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in refusal(variables, SECRET_KEY="hunter2", DATABASE_URL="mysql://u:hunter2@db/x")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ENTRA_TENNANT_ID", "ENTRA_TENANT_ID"),
        ("OVERDUE_AFTER_SECOND", "OVERDUE_AFTER_SECONDS"),
        ("OVERDEU_AFTER_SECONDS", "OVERDUE_AFTER_SECONDS"),
        ("OVERDUE_AFTER_MINUTES", "OVERDUE_AFTER_SECONDS"),
        ("OUTSTANDING_CAPACITY", "OUTSTANDING_CAP"),
        ("LONGEST_LEAD_DAY", "LONGEST_LEAD_DAYS"),
        ("REQUEST_LAPSES_AFTER", "REQUEST_LAPSES_AFTER_HOURS"),
        ("PORTAL_URI", "PORTAL_URL"),
        ("JITPORTAL_MOD", "JITPORTAL_MODE"),
        ("jitportal_mode", "JITPORTAL_MODE"),
        ("IDENTITY_STORE_IDS", "IDENTITY_STORE_ID"),
    ],
)
def test_a_misspelt_variable_is_not_passed_over(variables: pytest.MonkeyPatch, written: str, meant: str) -> None:
    message = refusal(variables, **{written: "1"})
    assert f"  {written}: " in message
    assert f"Did you mean {meant}?" in message


def test_a_variable_with_our_stem_that_is_like_none_of_ours_lists_them(variables: pytest.MonkeyPatch) -> None:
    assert "Known are: ALLOWED_HOSTS, " in refusal(variables, IDENTITY_CENTER_8150923_XWZQK="1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTABLE", "1"),
        ("PORTAL_UID", "1000"),
        ("PORTS", "80"),
        ("SIMULATOR_HOST", "x"),
        ("LOG_LEVELS", "x"),
        ("DATABASE_URL_READ", "x"),
        ("AWS_ROLE_SESSION_NAME", "x"),
        ("SECRET_KEY_BASE", "x"),
        ("AUDIT_LOG", "/var/log/audit"),
        ("JITPORTAL_SERVICE_HOST", "10.0.0.1"),
        ("JITPORTAL_PORT", "tcp://10.0.0.1:80"),
        ("JITPORTAL_PORT_80_TCP_ADDR", "10.0.0.1"),
    ],
)
def test_a_variable_of_another_program_is_let_be(variables: pytest.MonkeyPatch, name: str, value: str) -> None:
    for each, said in {**PRODUCTION, name: value}.items():
        variables.setenv(each, said)
    assert not environment.read().embedded


def test_who_administers_may_not_audit_themselves(variables: pytest.MonkeyPatch) -> None:
    assert "ENTRA_COMPLIANCE_GROUP_ID: The same as" in refusal(variables, ENTRA_COMPLIANCE_GROUP_ID=GUID)


def test_production_speaks_to_aws_itself_for_each_of_its_services(variables: pytest.MonkeyPatch) -> None:
    message = refusal(variables, AWS_ENDPOINT_URL_SSO_ADMIN="http://127.0.0.1:4566", AWS_ENDPOINT_URL_STS="")
    assert "  AWS_ENDPOINT_URL_SSO_ADMIN: Production talks to AWS itself." in message
    assert "AWS_ENDPOINT_URL_STS" not in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_URL", "https://access.example.com"),
        ("PORTAL_URL", "http://0.0.0.0:8000"),
        ("DATABASE_URL", "postgres://u:p@db.example.com:5432/portal"),
        ("DATABASE_URL", "postgres://u:p@10.0.0.7/portal"),
        ("DATABASE_URL", "postgres://u:p@127.0.0.1.example.com/portal"),
        ("DATABASE_URL", "postgres://u:p@127.0.0.1/portal?host=db.example.com"),
        ("DATABASE_URL", "postgres:///portal?hostaddr=10.0.0.7"),
        ("DATABASE_URL", "postgres:///portal?service=production"),
        ("REDIS_URL", "redis://redis.example.com/0"),
        ("REDIS_URL", "rediss://:p@10.0.0.7:6379/0"),
        ("REDIS_URL", "redis://127.0.0.1:6379/0;redis://redis.example.com/0"),
    ],
)
def test_embedded_mode_takes_no_service_of_another_machine(
    variables: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    variables.setenv("DATA_DIR", str(tmp_path))
    variables.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as caught:
        environment.read()
    assert f"  {name}: It names another machine" in str(caught.value)
    assert "JITPORTAL_MODE=production" in str(caught.value)


def test_embedded_mode_takes_no_database_that_libpq_would_look_for_elsewhere(
    variables: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    variables.setenv("DATA_DIR", str(tmp_path))
    variables.setenv("DATABASE_URL", "postgres:///portal")
    assert environment.read().embedded
    variables.setenv("PGHOST", "db.example.com")
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        environment.read()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_URL", "http://localhost:9000"),
        ("PORTAL_URL", "http://[::1]:9000"),
        ("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/x"),
        ("DATABASE_URL", "postgres://postgres@LOCALHOST/x"),
        ("DATABASE_URL", "postgres://%2Fvar%2Frun%2Fpostgresql/x"),
        ("DATABASE_URL", "postgres:///x?host=/tmp"),
        ("REDIS_URL", "redis://localhost:6379/1"),
        ("REDIS_URL", "unix:///run/redis.sock"),
    ],
)
def test_embedded_mode_takes_services_of_this_machine(
    variables: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    variables.setenv("DATA_DIR", str(tmp_path))
    variables.setenv(name, value)
    assert environment.read().embedded


def test_embedded_mode_draws_its_secrets_once_and_keeps_them_to_itself(
    variables: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    variables.setenv("DATA_DIR", str(tmp_path / "new"))
    first, second = environment.read(), environment.read()
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 50
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "new").iterdir())


def test_a_data_folder_that_cannot_be_used_is_said(variables: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    variables.setenv("DATA_DIR", str(tmp_path / "file" / "below"))
    with pytest.raises(ImproperlyConfigured, match="DATA_DIR"):
        environment.read()


def test_the_readme_explains_every_variable() -> None:
    readme = (PROJECT / "README.md").read_text()
    assert [name for name in REMEDIES if f"`{name}`" not in readme] == []


def test_a_wrong_variable_ends_a_command_in_a_sentence_not_a_traceback(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=PROJECT,
        env={**os.environ, "PORT": "http", "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "PORT: Not a valid integer." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_tickets_are_asked_about_with_a_secret_or_not_at_all(variables: pytest.MonkeyPatch) -> None:
    url, secret = "https://tickets.example.com/check?team=payments", "0123456789-abcdefghijklmnopqrstuvwxyz"
    assert "TICKET_WEBHOOK_SECRET: Missing beside TICKET_WEBHOOK_URL" in refusal(variables, TICKET_WEBHOOK_URL=url)
    variables.delenv("TICKET_WEBHOOK_URL")
    assert "TICKET_WEBHOOK_URL: Missing" in refusal(variables, TICKET_WEBHOOK_SECRET=secret)
    variables.setenv("TICKET_WEBHOOK_URL", url)
    found = environment.read()
    assert (found.ticket_webhook_url, found.ticket_webhook_secret) == (url, secret)


def test_an_app_role_may_stand_for_a_group(variables: pytest.MonkeyPatch) -> None:
    for name, value in {**PRODUCTION, "ENTRA_ADMIN_GROUP_ID": "role:Portal.Admin"}.items():
        variables.setenv(name, value)
    assert environment.read().admin_group == "role:Portal.Admin"
