"""Production's web server: it serves under production's settings, and refuses the demo's."""

from tests.processes.services.conftest import House
from tests.processes.started import Started, environment, fetch, until
from tests.services import free_port


def production(house: House) -> dict[str, str]:
    """Every variable that production asks for; nothing here opens anything."""
    guid = "00000000-0000-4000-8000-00000000000{}"
    return environment(
        JITPORTAL_MODE="production",
        PORTAL_URL="https://access.example.com",
        ALLOWED_HOSTS="access.example.com",
        SECRET_KEY="only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF",
        DATABASE_URL=house.chosen["DATABASE_URL"],
        REDIS_URL=house.chosen["REDIS_URL"],
        ENTRA_TENANT_ID=guid.format(1),
        ENTRA_CLIENT_ID=guid.format(2),
        ENTRA_CLIENT_SECRET="none",
        ENTRA_ADMIN_GROUP_ID=guid.format(3),
        ENTRA_COMPLIANCE_GROUP_ID=guid.format(4),
        AWS_REGION="eu-central-1",
        IDENTITY_CENTER_INSTANCE_ARN="arn:aws:sso:::instance/ssoins-0123456789abcdef",
        IDENTITY_STORE_ID="d-0123456789",
        AUDIT_SIGNING_KEY=f"{1:064x}",
        DATA_DIR=house.chosen["DATA_DIR"],
    )


def gunicorn(house: House, chosen: dict[str, str]) -> tuple[Started, str]:
    port = free_port()
    command = ["-m", "gunicorn", "jitportal.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    return house.demos.command(command, chosen), f"http://127.0.0.1:{port}"


def visit(url: str, host: str = "access.example.com", scheme: str = "https") -> tuple[int, str]:
    """An answer as the proxy in front asks for it."""
    return fetch(url, Host=host, X_Forwarded_Proto=scheme)


def test_it_serves_under_productions_settings_behind_a_proxy_that_speaks_https(house: House) -> None:
    chosen = production(house)
    collected = house.demos.command(["manage.py", "collectstatic", "--noinput", "-v", "0"], chosen)
    assert collected.end() == 0, collected.said()
    server, url = gunicorn(house, chosen)
    until("gunicorn", lambda: visit(f"{url}/healthz")[0])
    assert visit(f"{url}/healthz") == (200, "ok\n")
    assert visit(f"{url}/readyz")[0] == 200, visit(f"{url}/readyz")
    assert visit(f"{url}/sign-in/")[0] == 200
    assert visit(f"{url}/sign-in/", scheme="http")[0] == 301
    assert visit(f"{url}/sign-in/", host="elsewhere.example.com")[0] == 400
    assert visit(f"{url}/directory/")[0] == 404
    house.cut_connections()
    assert visit(f"{url}/readyz")[0] == 200, "it goes on with a connection that was cut"
    assert server.stop() == 0


def test_what_is_loaded_for_good_is_no_longer_looked_through_for_garbage(house: House) -> None:
    told = ["-c", "import gc, jitportal.wsgi; print(gc.get_freeze_count(), len(gc.get_objects()))"]
    process = house.demos.command(told, production(house))
    assert process.end() == 0, process.said()
    kept, looked_through = map(int, process.said().split())
    assert kept > 50 * looked_through


def test_it_does_not_come_up_as_a_demo_that_everybody_can_sign_in_to(house: House) -> None:
    server, _ = gunicorn(house, house.chosen)
    assert server.end() != 0
    assert "Set JITPORTAL_MODE=production" in server.said()
