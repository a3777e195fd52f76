"""Who a person at the command line is."""

from __future__ import annotations

from django.contrib.auth import authenticate

from moondev.domain.errors import InvalidValue


def person_proved(name: str, password: str) -> str:
    """Return the name of the admin's user who knows the password. Raises InvalidValue otherwise."""
    person = authenticate(username=name, password=password)
    if person is None:
        raise InvalidValue("--as", name, "an active user of the admin, with the right password")
    return person.get_username()
