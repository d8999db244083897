"""The cache in a Redis that may be away: then it knows nothing and keeps nothing, and whoever asks it goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache

log = structlog.get_logger(__name__)


class ForgetfulRedisCache(RedisCache):
    """What is in the cache only makes the work faster, so its absence is no error.

    `add` then says yes: nobody who asks for a turn is kept from taking it. Only what the portal uses is so forgiving.
    """

    def add(self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with _forgiven():
            return super().add(key, value, timeout, version)
        return True

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        with _forgiven():
            return super().get(key, default, version)
        return default

    def set(self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        with _forgiven():
            super().set(key, value, timeout, version)

    def delete(self, key: str, version: int | None = None) -> bool:
        with _forgiven():
            return super().delete(key, version)
        return False

    def clear(self) -> None:
        with _forgiven():
            super().clear()


@contextmanager
def _forgiven() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        log.warning("cache_away", error=str(error))
