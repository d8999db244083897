"""The directory over HTTP: a WSGI application with Entra's addresses, an account picker and a stylesheet."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from jitportal.demo.directory import authorization, refusals
from jitportal.demo.directory.control import PREFIX, Control
from jitportal.demo.directory.graph import Graph
from jitportal.demo.directory.people import Person
from jitportal.demo.directory.refusals import Refused
from jitportal.demo.directory.tenant import Directory

_FOLDER: Final = Path(__file__).resolve().parent
_STYLES: Final = (_FOLDER / "directory.css").read_bytes()
_LARGEST_FORM: Final = 65_536
_ADDRESSES: Final = Map(
    [
        Rule("/directory.css", endpoint="styles", methods=["GET"]),
        Rule("/access-portal/", endpoint="access_portal", methods=["GET"]),
        Rule("/<tenant>/v2.0/.well-known/openid-configuration", endpoint="configuration", methods=["GET"]),
        Rule("/<tenant>/oauth2/v2.0/authorize", endpoint="authorize", methods=["GET", "POST"]),
        Rule("/<tenant>/oauth2/v2.0/token", endpoint="token", methods=["POST"]),
        Rule("/<tenant>/oauth2/v2.0/logout", endpoint="logout", methods=["GET"]),
        Rule("/<tenant>/discovery/v2.0/keys", endpoint="keys", methods=["GET"]),
        Rule("/graph/<path:path>", endpoint="graph"),
        Rule("/_directory/<path:path>", endpoint="control"),
    ]
)


class DirectoryPages:
    """The WSGI application of one directory; mount it wherever the directory's `base_url` says it is."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.graph = Graph(directory)
        self._control = Control(self.graph)
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=StrictUndefined
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = request.max_form_memory_size = _LARGEST_FORM
        try:
            response = self._answer(request)
        except HTTPException as error:
            said = error.description if request.path.startswith(PREFIX) else error.name
            response = Response(f"{error.code} {said}\n", status=error.code, mimetype="text/plain")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        endpoint, values = _ADDRESSES.bind_to_environ(request.environ).match()
        if endpoint == "styles":
            return Response(_STYLES, mimetype="text/css", headers={"Cache-Control": "max-age=60"})
        if endpoint == "access_portal":
            return self._page("access_portal.html")
        if endpoint == "graph":
            return self.graph.answer(request, f"/{values['path']}")
        if endpoint == "control":
            return self._control.answer(request)
        if values["tenant"] != self.directory.tenant_id:
            return self._page_of_refusal(Refused("invalid_tenant", 90002, f"Tenant '{values['tenant']}' not found."))
        match endpoint:
            case "configuration":
                return _json(self.directory.configuration())
            case "keys":
                return _json(self.directory.keys.published())
            case "token":
                return self._token(request)
            case "authorize":
                return self._authorize(request)
            case _:
                return self._logout(request)

    def _token(self, request: Request) -> Response:
        try:
            form = request.form.to_dict()
            asks_for_itself = form.get("grant_type") == "client_credentials"
            return _json(self.graph.token(form) if asks_for_itself else self.directory.exchange(form))
        except Refused as refused:
            return _json(refused.body(self.directory.clock()), refused.status)

    def _authorize(self, request: Request) -> Response:
        parameters = request.args.to_dict()
        try:
            redirect_uri = self.directory.reply_address(parameters)
        except Refused as refused:
            return self._page_of_refusal(refused)
        state = parameters.get("state", "")
        try:
            ask = authorization.read(redirect_uri, parameters, self.directory.contexts)
            if request.method == "GET":
                return self._picker(request, redirect_uri, ask.login_hint, ask.contexts)
            if "cancel" in request.form:
                raise refusals.person_declined()
            person = self.directory.person(request.form.get("person", ""))
            if not person.enabled:
                # As with Entra, the application does not hear of it.
                return self._page_of_refusal(refusals.person_disabled())
            if ask.contexts and "confirmed" not in request.form:
                return self._confirmation(request, redirect_uri, person, ask.contexts)
            code = self.directory.authorize(person, ask)
        except Refused as refused:
            return _reply(
                redirect_uri,
                {"error": refused.code, "error_description": refused.description, "state": state},
            )
        return _reply(redirect_uri, {"code": code, "state": state})

    def _confirmation(self, request: Request, redirect_uri: str, person: Person, contexts: tuple[str, ...]) -> Response:
        home = urlsplit(redirect_uri)
        return self._page(
            "confirm.html",
            action=f"?{request.query_string.decode('latin-1')}",
            form_action=f"'self' {home.scheme}://{home.netloc}",
            person=person,
            contexts=contexts,
            application=home.netloc,
        )

    def _picker(self, request: Request, redirect_uri: str, login_hint: str, contexts: tuple[str, ...]) -> Response:
        def hinted_first(name: str) -> bool:
            return name.casefold() != login_hint.casefold()

        people = sorted(self.directory.people.values(), key=lambda person: hinted_first(person.user_name))
        home = urlsplit(redirect_uri)
        return self._page(
            "picker.html",
            action=f"?{request.query_string.decode('latin-1')}",
            # Browsers hold the answer's redirect to this directive too.
            form_action=f"'self' {home.scheme}://{home.netloc}",
            people=people,
            contexts=contexts,
            application=home.netloc,
        )

    def _logout(self, request: Request) -> Response:
        address = request.args.get("post_logout_redirect_uri", "")
        # Without a hint Entra asks which account to sign out of, whatever address was given.
        if address and request.args.get("logout_hint") and self.directory.may_return_to(address):
            state = request.args.get("state", "")
            return _reply(address, {"state": state} if state else {})
        return self._page("signed_out.html")

    def _page_of_refusal(self, refused: Refused) -> Response:
        return self._page("refusal.html", status=400, refused=refused)

    def _page(self, template: str, *, status: int = 200, form_action: str = "'none'", **context: object) -> Response:
        # Without the host: by whichever name the browser came, the stylesheet is on the same one.
        styles = f"{urlsplit(self.directory.base_url).path}/directory.css"
        body = self._templates.get_template(template).render(styles=styles, **context)
        directives = ("default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'")
        policy = "; ".join((*directives, f"form-action {form_action}"))
        return Response(body, status=status, mimetype="text/html", headers={"Content-Security-Policy": policy})


def _json(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")


def _reply(address: str, parameters: Mapping[str, str]) -> Response:
    """Sends the browser on to an address that has been checked, with these parameters added."""
    if not parameters:
        return redirect(address, 303)
    return redirect(f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}", 303)
