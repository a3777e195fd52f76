"""Production: refuses to be imported without its secrets."""

from moondev.settings.base import *  # noqa: F403  Django's overlays are made this way; base is the only source
from moondev.settings.base import LOG_LEVEL
from moondev.settings.env import env_bool, env_secret, env_str, log_lines

DEBUG = False
SECRET_KEY = env_secret("SECRET_KEY")
ALLOWED_HOSTS = [host.strip() for host in env_str("ALLOWED_HOSTS").split(",")]
# Required here, defaulted in base: a production process must never fall back to a local server.
env_secret("DATABASE_URL")
env_secret("BROKER_URL")
REDIS_URL = env_secret("REDIS_URL")

# Off only behind a proxy that ends TLS and redirects itself.
SECURE_SSL_REDIRECT = env_bool("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
WHITENOISE_USE_FINDERS = False

LOGGING = log_lines(style="json", level=LOG_LEVEL, environment="production")
