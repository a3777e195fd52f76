"""Tokens of programs: made once, shown once, found by their prefix, compared by their digest."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractUser
from django.db.models import Q

from apps.monitor.access.networks import lies_in, network
from apps.monitor.access.scopes import checked_scopes
from apps.monitor.models import ApiToken
from moondev.domain.errors import InvalidValue

# Secret scanners know a token by its beginning; so does whoever finds one in a log.
MARK = "mdat"
LONGEST_LIFE = timedelta(days=366)
# `last used` is for people: more exact than this it need not be, and each write costs.
NOTED_EACH = timedelta(minutes=1)


def token_create(
    *,
    name: str,
    user: AbstractUser,
    scopes: Sequence[str],
    expires_at: datetime,
    actor: str,
    now: datetime,
    networks: Sequence[str] = (),
) -> tuple[ApiToken, str]:
    """Make a token; return it with its secret, which is told here and never again.

    Raises InvalidValue naming the field that is wrong.
    """
    if not name.strip() or len(name) > 80:
        raise InvalidValue("name", name, "what uses the token, in at most 80 characters")
    if not (user.is_active and user.is_staff):
        raise InvalidValue("user", user.get_username(), "an active member of staff")
    if not now < expires_at <= now + LONGEST_LIFE:
        raise InvalidValue("expires_at", expires_at.isoformat(), f"within {LONGEST_LIFE.days} days from now")
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name.strip(),
        user_id=user.pk,
        prefix=prefix,
        digest=_digest(secret),
        scopes=checked_scopes(scopes),
        networks=[str(network(one)) for one in networks],
        created_by=actor,
        created_at=now,
        expires_at=expires_at,
    )
    return token, f"{MARK}_{prefix}_{secret}"


def token_revoke(prefix: str, *, actor: str, now: datetime) -> ApiToken:
    """End a token at once; one that has ended stays as it is. Raises InvalidValue for an unknown prefix."""
    ApiToken.objects.filter(prefix=prefix, revoked_at=None).update(revoked_at=now, revoked_by=actor)
    token = ApiToken.objects.filter(prefix=prefix).first()
    if token is None:
        raise InvalidValue("prefix", prefix, "the prefix of a token, as `api_token list` shows it")
    return token


def token_find(text: str, *, address: str, now: datetime) -> ApiToken | None:
    """Return the token that `text` is, used from `address`; None when it is none, has ended or may not come from there.

    Why is not told: it would help nobody but who tries.
    """
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if mark != MARK or not secret or not rest.isascii():
        return None
    token = ApiToken.objects.select_related("user").filter(prefix=prefix, revoked_at=None, expires_at__gt=now).first()
    if token is None or not hmac.compare_digest(token.digest, _digest(secret)):
        return None
    if not (token.user.is_active and token.user.is_staff) or (token.networks and not lies_in(address, token.networks)):
        return None
    _note_use(token, address, now)
    return token


def _note_use(token: ApiToken, address: str, now: datetime) -> None:
    if token.last_used_at is not None and now - token.last_used_at < NOTED_EACH:
        return
    long_ago = Q(last_used_at=None) | Q(last_used_at__lte=now - NOTED_EACH)
    ApiToken.objects.filter(long_ago, pk=token.pk).update(last_used_at=now, last_used_from=address[:45])


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
