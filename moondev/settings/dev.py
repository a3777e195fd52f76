"""Development: on one machine, with the embedded servers when nothing else is configured."""

import sys

from moondev.settings.env import PROJECT_ROOT, env_path, load_env_file

load_env_file(PROJECT_ROOT / ".env")
# A running demo writes the addresses of its private servers here, so that a second terminal joins it. The demo itself
# must not: what a killed one left behind is none of its business.
if sys.argv[1:2] != ["demo"]:
    load_env_file(env_path("MOONDEV_RUN_DIR", default=PROJECT_ROOT / ".run") / "env")

from django.core.exceptions import ImproperlyConfigured  # noqa: E402  after the addresses

from moondev.settings.base import *  # noqa: E402, F403  Django's overlays are made this way; base is the only source

# Gates between a strategy and the next stage may be skipped here, each time with a reason, and nowhere else.
MOONDEV_GATES_MAY_BE_SKIPPED = True
# Servers that play the part of Discord and the others are on this machine, and have no certificate.
ALERTS_MAY_BE_PLAIN = True
# Static files are served from where they lie; there is nothing collected, and WhiteNoise would warn of that.
STATIC_ROOT = None
from moondev.settings.base import DEVELOPMENT_KEY, MOONDEV_LIVE_TRADING, SECRET_KEY  # noqa: E402  named, because asked

# One person at one machine plays with paper.
MOONDEV_RELEASE_NEEDS_SECOND_PERSON = bool(MOONDEV_LIVE_TRADING)

if MOONDEV_LIVE_TRADING and SECRET_KEY == DEVELOPMENT_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is the development key; allowed with MOONDEV_LIVE_TRADING: a key of your own"
        " (DJANGO_SETTINGS_MODULE=moondev.settings.production asks for everything that real money needs)"
    )
