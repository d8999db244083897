"""Every pair of colours that text is set in can be read: WCAG AA, in light and in dark."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[3] / "jitportal" / "static" / "jitportal" / "tokens.css"
PAIRS = [
    *[
        (text, ground)
        for text in ("text", "text-muted", "accent", "bad", "good", "warn")
        for ground in ("ground", "surface")
    ],
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("text", "sunken"),
    ("text-muted", "sunken"),
    ("on-production", "production-fill"),
    *[(text, f"{state}-soft") for state in ("good", "warn", "bad") for text in ("text", "text-muted", state)],
    *[(mark, f"{mark}-soft") for mark in ("sandbox", "development", "staging", "production")],
    *[(mark, ground) for mark in ("sandbox", "development", "staging") for ground in ("ground", "surface")],
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(scheme: str, text: str, ground: str) -> None:
    colours = _colours(scheme)
    assert _contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_edge_of_a_field_stands_out(scheme: str) -> None:
    colours = _colours(scheme)
    assert _contrast(colours["line-strong"], colours["surface"]) >= 3


def _colours(scheme: str) -> dict[str, str]:
    light, dark = TOKENS.read_text().split("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    return found if scheme == "light" else found | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark))


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
