"""`make screenshots`: takes the README's pictures from a running demo (or one of its own) with headless Chromium.

`python -m tests.screenshots --every FOLDER` takes every page, for a phone and a desk, light and dark, to look at.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

PROJECT: Final = Path(__file__).resolve().parent.parent
PICTURES: Final = PROJECT / "docs" / "pictures"
WIDTHS: Final = {"desk": 1440, "phone": 360}
HEIGHT: Final = 740
# The README shows its pictures at about 830 pixels: narrower windows stay readable, and a queue needs no end.
IN_README: Final = {"approvals": (1280, 1130), "request": (1280, None)}
PORT: Final = os.environ.get("PORT", "8000")
PATIENCE: Final = 60.0

# Who looks at what; {request} is the first request in that person's list, {picker} the directory's page.
PAGES: Final = {
    "sign-in": ("", "/sign-in/"),
    "picker": ("", "{picker}"),
    "home": ("Ada Lindqvist", "/"),
    "catalog": ("Ada Lindqvist", "/catalog/"),
    "new": ("Ada Lindqvist", "/requests/new/?role=production-support&environment=production"),
    "request": ("Ada Lindqvist", "{request}"),
    "explain-me": ("Ben Okafor", "/explain/?question=me"),
    "explain-who": ("Ines Moreau", "/explain/?question=who&role=devops-engineer&environment=production"),
    "explain-why": (
        "Ines Moreau",
        "/explain/?question=why&person=ben&role=production-support&environment=production",
    ),
    "approvals": ("Chiara Rossi", "/approvals/"),
    "audit": ("Jonas Weber", "/audit/"),
    "admin": ("Ines Moreau", "/admin/"),
    "problems": ("Ines Moreau", "/catalog/problems/"),
    "admin-policy": ("Ines Moreau", "/admin/catalog/accesspolicy/1/change/"),
    "missing": ("Ada Lindqvist", "/requests/00000000-0000-4000-8000-000000000000/"),
}


def main() -> None:
    """Takes the pictures.

    Raises:
        SystemExit: there is no Chromium, or the demo does not come up.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=Path, metavar="FOLDER", help="take every page, to look at")
    folder: Path | None = parser.parse_args().every
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium on this machine: install Debian's package chromium.")
    with demo() as portal, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        if folder is None:
            PICTURES.mkdir(parents=True, exist_ok=True)
            for name, window in IN_README.items():
                take(browser, portal, name, window, "light", PICTURES / f"{name}.png")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            for name in PAGES:
                for size, width in WIDTHS.items():
                    for scheme in ("light", "dark"):
                        take(browser, portal, name, (width, None), scheme, folder / f"{name}-{size}-{scheme}.png")
        browser.close()
    print(f"Pictures are in {folder or PICTURES.relative_to(PROJECT)}.")  # noqa: T201 - it is a command


def take(browser: Browser, portal: str, name: str, window: tuple[int, int | None], scheme: str, path: Path) -> None:
    """One page as its person sees it; `window` is in CSS pixels, and without a height the page is taken whole."""
    person, address = PAGES[name]
    width, height = window
    context = browser.new_context(
        viewport={"width": width, "height": height or HEIGHT}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    if person:
        sign_in(page, portal, person)
    if address == "{request}":
        page.goto(portal + "/")
        address = page.locator("a[href^='/requests/']:not([href*='new'])").first.get_attribute("href") or "/"
    if address == "{picker}":
        choose_to_sign_in(page, portal)
    else:
        page.goto(portal + address)
    page.screenshot(path=path, full_page=height is None)
    context.close()


def sign_in(page: Page, portal: str, person: str) -> None:
    """Signs in through the demo's directory."""
    choose_to_sign_in(page, portal)
    page.get_by_role("button", name=person).click()
    page.wait_for_url(f"{portal}/**")


def choose_to_sign_in(page: Page, portal: str) -> None:
    """Goes as far as the directory's picker."""
    page.goto(f"{portal}/sign-in/")
    page.get_by_role("button", name="Sign in with").click()
    page.wait_for_load_state()


@contextmanager
def demo() -> Iterator[str]:
    """The address of the running demo; where none runs, of one of our own, in a temporary folder."""
    portal = f"http://127.0.0.1:{PORT}"
    if _answers(portal):
        yield portal
        return
    with tempfile.TemporaryDirectory() as data:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=PROJECT,
            env={**os.environ, "DATA_DIR": data},
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + PATIENCE
        while not _answers(portal):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit("The demo did not come up; `make demo` says why.")
            time.sleep(0.2)
        yield portal
        process.terminate()
        process.wait()


def _answers(portal: str) -> bool:
    try:
        with urllib.request.urlopen(f"{portal}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main()
