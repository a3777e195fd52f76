"""Development: on one machine, with the embedded servers when nothing else is configured."""

import sys

from moondev.settings.env import PROJECT_ROOT, env_path, load_env_file

load_env_file(PROJECT_ROOT / ".env")
# A running demo writes the addresses of its private servers here, so that a second terminal joins it. The demo itself
# must not: what a killed one left behind is none of its business.
if sys.argv[1:2] != ["demo"]:
    load_env_file(env_path("MOONDEV_RUN_DIR", default=PROJECT_ROOT / ".run") / "env")

from moondev.settings.base import *  # noqa: E402, F403  Django's overlays are made this way; base is the only source

# Static files are served from where they lie; there is nothing collected, and WhiteNoise would warn of that.
STATIC_ROOT = None
