"""Which symbol a frame belongs to, from its first bytes, where its sender did not say.

Only a hint, decided once and written to the journal with the frame: the mapper reads the payload
and has the last word. A frame without a hint goes to every line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from qf.tape.journal import Frame

LOOKED_AT = 256
_STREAM = re.compile(rb'"stream"\s*:\s*"([A-Za-z0-9_]{1,40})@')
_SYMBOL = re.compile(rb'"s"\s*:\s*"([A-Za-z0-9_]{1,40})"')


class Router:
    """Fill in the symbol of frames, for the symbols of one session."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self._symbols = {symbol.encode().upper(): symbol for symbol in symbols}
        self._only = len(self._symbols) == 1

    def hint(self, frame: Frame) -> Frame:
        """Return the frame with its symbol, as far as that shows."""
        if frame.symbol or self._only:
            return frame
        found = _STREAM.search(frame.payload, 0, LOOKED_AT)
        found = found or _SYMBOL.search(frame.payload, 0, LOOKED_AT)
        if found is None:
            return frame
        symbol = self._symbols.get(found[1].upper(), "")
        return frame._replace(symbol=symbol) if symbol else frame
