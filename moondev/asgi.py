"""The web application: ``uvicorn moondev.asgi:application``."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moondev.settings.dev")

application = get_asgi_application()
