"""PostgreSQL and Redis for the tests: those that are named, else those that answer here, else private ones."""

import contextlib
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from jitportal.surroundings import host_of, is_this_machine

OLDEST_POSTGRESQL: Final = 15
OLDEST_REDIS: Final = 7
PATIENCE: Final = 30.0
CLAIM: Final = "jitportal:tests"


class Unusable(Exception):
    """A service that was named, or should have come up, does not serve; the message says which and why."""


@contextmanager
def postgresql() -> Iterator[str | None]:
    """The URL of an empty database of our own, on a server that answers; None if this machine has none.

    Neither it nor what pytest-django makes beside it (`test_…`) is left behind.

    Raises:
        Unusable: DATABASE_URL names a server that does not answer or is too old.
    """
    named = os.environ.get("DATABASE_URL", "")
    if named.startswith(("postgres://", "postgresql://")):
        if trouble := _elsewhere(named) or _trouble_with_postgresql(named):
            raise Unusable(f"DATABASE_URL: {trouble}")
        servers = [named]
    else:
        local = (f"postgres://{quote(user)}@127.0.0.1:5432/postgres" for user in ("postgres", getpass.getuser()))
        servers = [url for url in local if not _trouble_with_postgresql(url)]
    if servers:
        with own_database(servers[0]) as url:
            yield url
        return
    with _private_postgresql() as server:
        if server is None:
            yield None
            return
        with own_database(server) as url:
            yield url


@contextmanager
def redis_index() -> Iterator[str | None]:
    """The URL of an index that is empty, on a Redis that answers; None if this machine has none. Emptied afterwards.

    Raises:
        Unusable: REDIS_URL names a server that does not answer, is too old, or has no empty index.
    """
    named = os.environ.get("REDIS_URL", "")
    if named:
        if trouble := _elsewhere(named) or _trouble_with_redis(named):
            raise Unusable(f"REDIS_URL: {trouble}")
        with own_index(named) as url:
            yield url
        return
    local = "redis://127.0.0.1:6379/0"
    if not _trouble_with_redis(local):
        with own_index(local) as url:
            yield url
        return
    with _private_redis() as server:
        if server is None:
            yield None
            return
        with own_index(server) as url:
            yield url


@contextmanager
def own_database(server: str) -> Iterator[str]:
    """An empty database of our own beside the one that the URL names; dropped afterwards, with pytest-django's."""
    name = f"jitportal_{secrets.token_hex(4)}"
    try:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            for each in (name, f"test_{name}"):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(each)))


@contextmanager
def own_index(server: str) -> Iterator[str]:
    """An index of that Redis which was empty and is ours until the end; one that somebody uses is never touched.

    Raises:
        Unusable: every index is in use.
    """
    for index in range(15, -1, -1):
        url = urlunsplit(urlsplit(server)._replace(path=f"/{index}"))
        with redis.Redis.from_url(url) as client:
            try:
                # Taken by its first key, in one step with looking, so that two runs at once never share one.
                with client.pipeline() as step:
                    step.watch(CLAIM)
                    if step.dbsize():
                        continue
                    step.multi()
                    step.set(CLAIM, os.getpid())
                    step.execute()
            except (redis.WatchError, redis.ResponseError):
                continue
            try:
                yield url
            finally:
                client.flushdb()
            return
    raise Unusable(f"Redis at {urlsplit(server).hostname} has no empty index for the tests.")


def _elsewhere(url: str) -> str:
    host = unquote(host_of(url))
    if not host or is_this_machine(host):
        return ""
    return f"{host} is another machine, and the tests run in embedded mode, which uses none. Take this variable away."


def _trouble_with_postgresql(url: str) -> str:
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            version = connection.info.server_version // 10000
    except psycopg.Error as error:
        return f"PostgreSQL does not answer ({' '.join(str(error).split())})."
    return (
        ""
        if version >= OLDEST_POSTGRESQL
        else f"PostgreSQL is {version}; {OLDEST_POSTGRESQL} is the oldest that will do."
    )


def _trouble_with_redis(url: str) -> str:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3) as client:
            version = str(client.info("server")["redis_version"])
    except (redis.RedisError, OSError, ValueError) as error:
        return f"Redis does not answer ({error})."
    return (
        ""
        if int(version.split(".", maxsplit=1)[0]) >= OLDEST_REDIS
        else f"Redis is {version}; {OLDEST_REDIS} is the oldest that will do."
    )


@contextmanager
def _private_postgresql() -> Iterator[str | None]:
    found = shutil.which("initdb")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = versions[-1] if versions else Path(found) if found else None
    if initdb is None or not initdb.with_name("postgres").exists():
        yield None
        return
    with _folder() as folder:
        data, port = folder / "data", free_port()
        _run(
            [str(initdb), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            folder,
        )
        command = [str(initdb.with_name("postgres")), "-D", str(data), "-p", str(port), "-h", "127.0.0.1"]
        # It lives as long as the tests do: what a power cut would lose is not worth waiting for.
        command += ["-c", f"unix_socket_directories={folder}", "-c", "fsync=off", "-c", "synchronous_commit=off"]
        url = f"postgres://postgres@127.0.0.1:{port}/postgres"
        with _server(command, folder, lambda: _trouble_with_postgresql(url)):
            yield url


@contextmanager
def _private_redis() -> Iterator[str | None]:
    binary = shutil.which("redis-server")
    if binary is None:
        yield None
        return
    with _folder() as folder:
        port = free_port()
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        url = f"redis://127.0.0.1:{port}/0"
        with _server(command, folder, lambda: _trouble_with_redis(url)):
            yield url


@contextmanager
def _server(command: list[str], folder: Path, trouble: Callable[[], str]) -> Iterator[None]:
    """A server process, from when it answers until the block is left."""
    with (folder / "server.log").open("w") as log:
        # In a session of its own: Ctrl-C is for the tests, which still need it to tidy up.
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, start_new_session=True, user=_unprivileged()
        )
        try:
            until = time.monotonic() + PATIENCE
            while trouble():
                if process.poll() is not None or time.monotonic() > until:
                    said = (folder / "server.log").read_text()[-500:]
                    raise Unusable(f"A private {Path(command[0]).name} did not come up: {said}")
                time.sleep(0.05)
            yield
        finally:
            # For PostgreSQL: without waiting for its clients to go by themselves.
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _folder() -> Iterator[Path]:
    """A temporary folder that an unprivileged server may write to."""
    with tempfile.TemporaryDirectory(prefix="jitportal-", ignore_cleanup_errors=True) as name:
        if (user := _unprivileged()) is not None:
            shutil.chown(name, user)
        yield Path(name)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, user=_unprivileged())
    if done.returncode:
        raise Unusable(f"{Path(command[0]).name} failed: {done.stderr[-500:]}")


def _unprivileged() -> str | None:
    """Whom to start servers as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()}
    return "postgres" if "postgres" in known else "nobody"


def free_port() -> int:
    """A port that nobody listens on now, with a free one after it.

    Below those that the system gives to connections: one of these could be gone before a slow process listens on it.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError):
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port
