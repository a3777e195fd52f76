"""Tests: the servers that ``docker/services start`` wrote down, or those of the environment."""

from moondev.settings.env import PROJECT_ROOT, env_str, load_env_file

load_env_file(PROJECT_ROOT / ".services" / "env")

from moondev.settings.base import *  # noqa: E402, F403  Django's overlays are made this way; base is the only source
from moondev.settings.base import DATABASES, REDIS_URL  # noqa: E402  named, because they are changed below

# Two runs on one server must not share a database: name another one for the second.
DATABASES["default"]["TEST"] = {"NAME": env_str("MOONDEV_TEST_DB", default="test_moondev")}
# Nor its Redis: a halt that one leaves there would stop the other. The last path segment is the logical database.
# The processes of one run (gw0, gw1) count on from there, as their databases do by name.
PROCESS = env_str("PYTEST_XDIST_WORKER", default="")
REDIS_DATABASE = int(env_str("MOONDEV_TEST_REDIS_DB", default="8")) + int(PROCESS.removeprefix("gw") or 0)
REDIS_URL = f"{REDIS_URL.rpartition('/')[0]}/{REDIS_DATABASE}"
# Tests open and drop databases: a connection kept over the end of a test would block that.
DATABASES["default"]["CONN_MAX_AGE"] = 0
# The default hasher is slow by design; a test's login protects nothing.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# No test reaches a venue with real money, whatever the environment says.
MOONDEV_LIVE_TRADING = ""
# Tests follow each other faster than any venue allows; those of the budgets make throttles of their own.
MOONDEV_RATE_LIMITS = "off"
# No test writes among what people have gathered.
MOONDEV_LAKE_DIR = PROJECT_ROOT / ".run" / "test-lake"
# As in development: most tests are about something else than gates.
MOONDEV_GATES_MAY_BE_SKIPPED = True
# Those that are about the second person switch it on.
MOONDEV_RELEASE_NEEDS_SECOND_PERSON = False
# Servers that play the part of Discord and the others are on this machine, and have no certificate.
ALERTS_MAY_BE_PLAIN = True
# Nobody listens to a bot unless a test says so.
TELEGRAM_COMMANDS_TOKEN = ""
# Static files are served from where they lie; there is nothing collected, and WhiteNoise would warn of that.
STATIC_ROOT = None
# Nor runs the strategies of whoever runs the tests.
MOONDEV_STRATEGIES_DIR = None
# Nor shows anybody what it counts.
MOONDEV_METRICS_DIR = None
# pytest has hooks of its own for warnings and for what nobody caught.
LOGGING_CONFIG = "logging.config.dictConfig"
