"""A demo of our own in a temporary folder, and a real browser for each person who looks at it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.screenshots import PROJECT, sign_in
from tests.services import free_port

READY_WITHIN = 150.0


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a freshly seeded demo."""
    port = free_port()
    data = tmp_path_factory.mktemp("demo")
    # The browser tests are of the embedded size, whatever the rest of the suite runs on.
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    log = Path(data / "demo.log").open("w")  # noqa: SIM115 - it stays open as long as the demo
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo"],
        cwd=PROJECT,
        env={**environment, "DATA_DIR": str(data), "PORT": str(port)},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    until = time.monotonic() + READY_WITHIN
    try:
        while "is ready" not in Path(data / "demo.log").read_text():
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"the demo did not come up: {Path(data / 'demo.log').read_text()[-2000:]}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def seat(chromium: Browser, portal: str) -> Iterator[Callable[..., Page]]:
    """Seats a person at a browser of their own, signed in; a script error or a blocked resource fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def sit(person: str, **options: object) -> Page:
        context = chromium.new_context(base_url=portal, **options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        sign_in(page, portal, person)
        return page

    yield sit
    for context in contexts:
        context.close()
    assert complaints == []
