"""Death at random: of one or of several at once, at moments that the ledger's growth tells; each is started again."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Final

from tests.chaos.world import MORTAL, World
from tests.processes.started import until

# In events: how long everybody lives at most, and which part of that the dead are missed at most.
LONG: Final = 120
SHORT: Final = 40
MISSED: Final = 3
TOGETHER: Final = 0.25
# Where nobody is left to write an event, time goes on all the same.
PATIENCE: Final = 10.0


class Reaper:
    """Kills and restarts what is mortal in a world; what it did is in `died`."""

    def __init__(self, world: World, seed: str, longest: int = LONG) -> None:
        self._world = world
        self._longest = longest
        self._random = random.Random(f"{seed} reaper")
        self.died: Counter[str] = Counter()

    def choose(self) -> Sequence[str]:
        """Who dies next, and that one alone or with others."""
        many = self._random.randint(2, 3) if self._random.random() < TOGETHER else 1
        return self._random.sample(MORTAL, many)

    def reap(self, names: Sequence[str]) -> None:
        """Lets these die after a while, all at once, and starts each again after another."""
        self._let_live(self._longest)
        for name in names:
            self._world.kill(name)
            self.died[name] += 1
        for name in self._random.sample(names, len(names)):
            self._let_live(self._longest // MISSED)
            self._world.start(name)

    def _let_live(self, longest: int) -> None:
        until_then = self._world.recorded() + self._random.randint(1, longest)
        try:
            until("more events", lambda: self._world.recorded() >= until_then, PATIENCE)
        except TimeoutError:
            self.died["quiet"] += 1
