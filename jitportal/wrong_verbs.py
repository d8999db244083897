"""What somebody sees who opens an address that only takes a form, as from the address bar after one was refused."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve

_METHOD_NOT_ALLOWED: Final = 405
_READ: Final = ("GET", "HEAD")


class WrongVerbs:
    """Gives answers 405 to a browser a page, with the way back to what the form was on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code != _METHOD_NOT_ALLOWED or request.method not in _READ:
            return response
        page = render(request, "405.html", {"back": _page_above(request.path)}, status=_METHOD_NOT_ALLOWED)
        page["Allow"] = response["Allow"]
        return page


def _page_above(path: str) -> str:
    """The nearest address above this one that leads somewhere."""
    while path.strip("/"):
        path = f"{path.rstrip('/').rpartition('/')[0]}/"
        try:
            resolve(path)
        except Resolver404:
            continue
        return path
    return "/"
