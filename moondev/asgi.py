"""The web application: ``uvicorn moondev.asgi:application``. The admin, and the API beside it."""

import os
from typing import cast

from django.core.asgi import get_asgi_application
from starlette.routing import Mount, Router
from starlette.types import ASGIApp

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moondev.settings.dev")

# The protocol is the same; Starlette names its types, Django does not.
admin = cast("ASGIApp", get_asgi_application())

from apps.monitor.api.app import PREFIX, create_api  # noqa: E402  after Django is set up: the API uses its models

application = Router([Mount(PREFIX, app=create_api()), Mount("/", app=admin)])
