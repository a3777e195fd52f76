"""Staging: production's rules against paper accounts only."""

from moondev.settings.base import LOG_LEVEL
from moondev.settings.env import log_lines
from moondev.settings.production import *  # noqa: F403  an overlay of production, which is its only source

# Whatever the environment says: staging never reaches a venue with real money.
MOONDEV_LIVE_TRADING = ""
LOGGING = log_lines(style="json", level=LOG_LEVEL, environment="staging")
