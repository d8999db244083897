"""What the frame of every page says about the portal itself."""

import tomllib
from functools import cache

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
@cache
def version() -> str:
    """The portal's version, from where it is declared: pyproject.toml, which is deployed with the code."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        declared: str = tomllib.load(file)["project"]["version"]
    return declared
