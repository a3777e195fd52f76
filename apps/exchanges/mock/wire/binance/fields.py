"""The parameters of one request: names and texts, read strictly and refused in the venue's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from urllib.parse import parse_qsl

from apps.exchanges.mock.wire.binance.refusals import RefusedError

_RANGE = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_NUMBER = re.compile(_RANGE)
_WORDS: Mapping[str, bool] = {"true": True, "false": False}


class Params:
    """Parameters by name. Every refusal names the parameter."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Read `values`."""
        self._values = values

    @classmethod
    def of_texts(cls, query: str, body: str) -> Params:
        """Read a query and a form body; what both name, the query says. The last of several values counts."""
        values = dict(parse_qsl(body, keep_blank_values=True))
        return cls(values | dict(parse_qsl(query, keep_blank_values=True)))

    def names(self) -> Iterable[str]:
        """Return the names that were sent."""
        return self._values.keys()

    def find(self, name: str) -> str | None:
        """Return the text of `name`; None when it was not sent or is empty."""
        return self._values.get(name) or None

    def text(self, name: str) -> str:
        """Return the text of `name`. Refuses its absence."""
        value = self.find(name)
        if value is None:
            raise RefusedError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        return value

    def choice(self, name: str, allowed: Iterable[str], default: str | None = None) -> str:
        """Return one of `allowed`; `default` None makes it mandatory."""
        value = self.text(name) if default is None else (self.find(name) or default)
        if value not in allowed:
            codes = {"type": -1116, "side": -1117, "timeInForce": -1115, "interval": -1120}
            words = {"type": "orderType", "side": "side", "timeInForce": "timeInForce", "interval": "interval"}
            if name in codes:
                raise RefusedError(codes[name], f"Invalid {words[name]}.")
            raise RefusedError(-1130, f"Data sent for parameter '{name}' is not valid.")
        return value

    def flag(self, name: str) -> bool:
        """Return a truth value; absent is false."""
        value = self.find(name)
        if value is None:
            return False
        if value.lower() not in _WORDS:
            raise RefusedError(-1130, f"Data sent for parameter '{name}' is not valid.")
        return _WORDS[value.lower()]

    def whole(self, name: str, default: int | None = None) -> int:
        """Return a whole number; `default` None makes it mandatory."""
        value = self.find(name)
        if value is None and default is not None:
            return default
        try:
            return int(self.text(name))
        except ValueError:
            raise _illegal(name) from None

    def find_whole(self, name: str) -> int | None:
        """Return a whole number, None when it was not sent."""
        return None if self.find(name) is None else self.whole(name)

    def decimal(self, name: str) -> Decimal:
        """Return a decimal number of 0 or more, written out: the venue takes no exponents."""
        text = self.text(name)
        if not _NUMBER.match(text):
            raise _illegal(name)
        return Decimal(text)

    def find_decimal(self, name: str) -> Decimal | None:
        """Return a decimal number of 0 or more, None when it was not sent."""
        return None if self.find(name) is None else self.decimal(name)


def _illegal(name: str) -> RefusedError:
    return RefusedError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{_RANGE}'.")
