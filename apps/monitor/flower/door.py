"""Who may see Flower, and who may command workers with it: staff, as their roles say."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from apps.monitor.api.doors.entrance import admit
from apps.monitor.api.origins import is_page_of_ours
from apps.monitor.api.people import Caller, identify
from apps.monitor.api.problems import refuse
from apps.monitor.api.threads import in_thread

# Who may look at when tasks run may look at how they run; who may change the one may end or slow the other.
LOOK, COMMAND = "django_celery_beat.view_periodictask", "django_celery_beat.change_periodictask"
LOOKING = frozenset({"GET", "HEAD"})


class Door:
    """Lets in who is logged in; nothing of anybody else reaches what is behind it."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        try:
            scope.setdefault("state", {})["caller"] = await in_thread(_let_in, scope)
        except HTTPException as error:
            if error.status_code == HTTPStatus.UNAUTHORIZED and _is_page(scope):
                await _send_to_login(scope, send)
                return
            await refuse(scope, receive, send, error.status_code, str(error.detail), error.headers)
            return
        await self._app(scope, receive, send)


def _let_in(scope: Scope) -> Caller:
    """Return who asks. Raises HTTPException: 401, 403, 405 for what Flower need not hear, 429."""
    # Flower's page knows nothing of our form tokens; that it is our page which asks is seen by its origin, below.
    looking = {**scope, "method": "GET"}
    caller = admit(looking)
    if scope["method"] not in LOOKING | {"POST"}:
        raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, "GET, HEAD or POST", {"Allow": "GET, HEAD, POST"})
    if scope["method"] == "POST":
        # Nobody commands on what was known of him a moment ago.
        caller = identify(looking)
        _require_own_page(HTTPConnection({**scope, "type": "http"}))
    wanted = LOOK if scope["method"] in LOOKING else COMMAND
    if not caller.may(wanted):
        raise HTTPException(HTTPStatus.FORBIDDEN, f"the permission {wanted} is needed")
    return caller


def _require_own_page(request: HTTPConnection) -> None:
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin" or not is_page_of_ours(request):
        raise HTTPException(HTTPStatus.FORBIDDEN, "only a page of ours may ask for that")


def _is_page(scope: Scope) -> bool:
    return scope["method"] == "GET" and "text/html" in HTTPConnection(scope).headers.get("accept", "")


async def _send_to_login(scope: Scope, send: Send) -> None:
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = scope["path"] + (f"?{query}" if query else "")
    headers = [(b"location", f"/admin/login/?next={quote(wanted, safe='/')}".encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": HTTPStatus.FOUND, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
