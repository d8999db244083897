"""A browser as plain as can be: keeps cookies, follows redirects, sends the forms it was shown."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


@dataclass
class Form:
    """A form of a page: where it is sent, and the hidden fields that go with it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(given.get("action", "")))
        elif self.found and tag == "input" and given.get("type") == "hidden":
            self.found[-1].fields[given["name"]] = given.get("value", "")
        elif self.found and tag == "button" and "name" in given:
            self.found[-1].buttons.append(given.get("value", ""))


class Browser:
    """Addresses without a host are those of `home`, such as http://127.0.0.1:40123."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.session = requests.Session()
        # A proxy of the machine has no part in what stays on it.
        self.session.trust_env = False
        self.page: requests.Response | None = None

    def close(self) -> None:
        """Lets go of its connections: each keeps a thread of the live server, and that the test's database."""
        # A page that is held holds its connection.
        self.page = None
        self.session.close()

    def get(self, address: str, *, follow: bool = True) -> requests.Response:
        """Goes to an address; the answer is the page from now on."""
        self.page = self.session.get(urljoin(self.home, address), allow_redirects=follow, timeout=20)
        return self.page

    def form(self, ending: str = "") -> Form:
        """The page's first form whose action ends so."""
        assert self.page is not None
        return next(form for form in forms(self.page.text) if form.action.partition("?")[0].endswith(ending))

    def send(self, form: Form, *, follow: bool = True, **fields: str) -> requests.Response:
        """Sends a form of the page, with these fields set."""
        assert self.page is not None
        address = urljoin(self.page.url, form.action)
        self.page = self.session.post(
            address,
            data=form.fields | fields,
            headers={"Referer": self.page.url},
            allow_redirects=follow,
            timeout=20,
        )
        return self.page


def forms(text: str) -> list[Form]:
    """The forms of a page."""
    parser = _Forms()
    parser.feed(text)
    return parser.found
