"""Other people's texts, without what steers a terminal or turns a line."""

from __future__ import annotations

import re

# Control characters except tabs and line ends, and marks of writing direction.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """Replace control characters, which could steer a terminal."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text)
