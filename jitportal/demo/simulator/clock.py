"""The simulator's time: a base clock that can be moved forward, set or frozen."""

from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds since the epoch (UTC)."""


class MovableClock:
    """``base`` plus an offset, or a frozen instant; all times are seconds since the epoch."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._offset = 0.0
        self._frozen_at: float | None = None

    def __call__(self) -> float:
        if self._frozen_at is not None:
            return self._frozen_at
        return self._base() + self._offset

    @property
    def frozen(self) -> bool:
        """Whether time stands still until it is moved."""
        return self._frozen_at is not None

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds`` (negative: back); a frozen clock stays frozen."""
        self.set(self() + seconds)

    def set(self, moment: float) -> None:
        """Make it ``moment`` now; a frozen clock stays frozen."""
        if self._frozen_at is not None:
            self._frozen_at = moment
        else:
            self._offset = moment - self._base()

    def freeze(self) -> None:
        """Stop at the present moment."""
        self._frozen_at = self()

    def resume(self) -> None:
        """Run on from the present moment."""
        now = self()
        self._frozen_at = None
        self._offset = now - self._base()
