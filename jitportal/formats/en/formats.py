"""The names that Django looks for."""

from typing import Final

# With its zone: the admin is read by people in several.
DATETIME_FORMAT: Final = "j M Y, H:i e"
