"""What the directory says about itself, and how it is served."""

import json
from urllib.parse import urlsplit

import pytest
import requests
from werkzeug.test import Client

from jitportal.demo.directory import Directory, DirectoryPages, DirectoryServer
from tests.jitportal.directory.application import CALLBACK, CLIENT, LANDING, TENANT, Application


def test_the_issuer_is_where_the_discovery_document_says_it_is(application: Application) -> None:
    base = application.directory.base_url
    said = application.get(f"{base}/{TENANT}/v2.0/.well-known/openid-configuration").json()
    assert said["issuer"] == f"{base}/{TENANT}/v2.0"
    assert all(said[name].startswith(f"{base}/{TENANT}/") for name in said if name.endswith(("_endpoint", "_uri")))


def test_another_tenant_is_not_found(application: Application) -> None:
    base = application.directory.base_url
    answer = application.get(f"{base}/common/v2.0/.well-known/openid-configuration")
    assert answer.status_code == 400
    assert "AADSTS90002: Tenant &#39;common&#39; not found." in answer.text


@pytest.mark.parametrize("path", ["/", "/x", f"/{TENANT}/v2.0/", "/directory.css/x"])
def test_an_unknown_address_is_not_found(application: Application, path: str) -> None:
    assert application.get(f"{application.directory.base_url}{path}").status_code == 404


def test_the_token_endpoint_takes_forms_only(application: Application) -> None:
    assert application.get(application.endpoint("token_endpoint")).status_code == 405


def test_a_form_that_is_too_large_is_turned_away(application: Application) -> None:
    answer = application.http.post(application.endpoint("token_endpoint"), data={"code": "x" * 100_000}, timeout=20)
    assert answer.status_code == 413


def test_the_keys_are_public_halves_only(application: Application) -> None:
    (key,) = application.get(application.endpoint("jwks_uri")).json()["keys"]
    assert key.keys() == {"kty", "n", "e", "kid", "use", "alg", "key_ops"}
    assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")


def test_an_earlier_key_stays_published_until_it_is_forgotten(application: Application) -> None:
    (before,) = application.get(application.endpoint("jwks_uri")).json()["keys"]
    application.directory.rotate_keys()
    both = application.get(application.endpoint("jwks_uri")).json()["keys"]
    assert [key["kid"] == before["kid"] for key in both] == [False, True]
    application.directory.keys.forget_earlier()
    assert application.get(application.endpoint("jwks_uri")).json()["keys"] == both[:1]


def test_it_can_be_mounted_under_a_path() -> None:
    directory = Directory(
        tenant_id=TENANT,
        client_id=CLIENT,
        client_secret="secret",
        is_redirect_uri=frozenset({CALLBACK, LANDING}).__contains__,
        people=(),
        base_url="http://127.0.0.1:8000/directory",
    )
    client = Client(DirectoryPages(directory))
    answer = client.get(f"/{TENANT}/v2.0/.well-known/openid-configuration", base_url="http://127.0.0.1:8000/directory/")
    endpoint = json.loads(answer.data)["authorization_endpoint"]
    assert endpoint == f"http://127.0.0.1:8000/directory/{TENANT}/oauth2/v2.0/authorize"
    page = client.get(urlsplit(endpoint).path.removeprefix("/directory"), base_url="http://127.0.0.1:8000/directory/")
    assert 'href="/directory/directory.css"' in page.text
    assert client.get("/directory.css").mimetype == "text/css"


def test_a_port_in_use_is_an_error_that_can_be_caught(application: Application) -> None:
    port = urlsplit(application.directory.base_url).port
    assert port is not None
    with pytest.raises(OSError, match="in use"):
        DirectoryServer(application.directory, port=port).start()


def test_a_stopped_server_answers_nobody_and_can_be_started_again(application: Application) -> None:
    directory = Directory(tenant_id=TENANT, client_id=CLIENT, client_secret="s", is_redirect_uri=bool, people=())
    server = DirectoryServer(directory).start()
    address = f"{server.url}/directory.css"
    server.stop()
    with pytest.raises(requests.ConnectionError):
        application.get(address)
    server.start()
    assert application.get(f"{server.url}/directory.css").status_code == 200
    server.stop()
