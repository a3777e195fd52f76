"""Settings that every environment shares. An overlay may change a value; nothing exists only there."""

from pathlib import Path

import django_stubs_ext

from moondev.settings.env import (
    PROJECT_ROOT,
    env_bool,
    env_broker_url,
    env_choice,
    env_database,
    env_int,
    env_list,
    env_optional_path,
    env_page,
    env_path,
    env_secret,
    env_str,
    env_traces_endpoint,
    env_zone,
    log_lines,
    process_name,
)

# Lets admin and form classes name their model at run time too: ModelAdmin[Order].
django_stubs_ext.monkeypatch()

BASE_DIR = PROJECT_ROOT
# Logs, pids and private servers of a run; another folder lets two runs of one checkout live side by side.
RUN_DIR = env_path("MOONDEV_RUN_DIR", default=PROJECT_ROOT / ".run")
# What this machine's processes say of themselves, for probes that may ask no server.
BEATS_DIR = RUN_DIR / "beats"

# --- Django --------------------------------------------------------------------------------------------------------
DEBUG = env_bool("DEBUG", default=False)
DEVELOPMENT_KEY = "development-only-key-that-protects-nothing"
SECRET_KEY = env_secret("SECRET_KEY", default=DEVELOPMENT_KEY)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", default="")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    # Before staticfiles, so that the development server serves static files as production does.
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "moondev.apps.MoondevConfig",
    "apps.exchanges",
    "apps.risk",
    "apps.strategies",
    "apps.monitor",
    # After ours, so that our templates stand in for its own.
    "moondev.apps.OperationsConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.monitor.audit.middleware.ActingMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

AUTHENTICATION_BACKENDS = ["apps.monitor.access.patience.PatientBackend"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

ROOT_URLCONF = "moondev.urls"
ASGI_APPLICATION = "moondev.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
USE_I18N = False
FORMAT_MODULE_PATH = "moondev.formats"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT: Path | None = PROJECT_ROOT / "staticfiles"
WHITENOISE_USE_FINDERS = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Servers -------------------------------------------------------------------------------------------------------
DATABASES = {"default": env_database("DATABASE_URL", default="postgres://moondev@127.0.0.1:5432/moondev")}
DATABASES["default"]["CONN_MAX_AGE"] = 600
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Who is connected, for whoever looks at the server, and for the audit trail where nobody else is named.
DATABASES["default"].setdefault("OPTIONS", {})["application_name"] = process_name()
BROKER_URL = env_broker_url("BROKER_URL", default="amqp://guest:guest@127.0.0.1:5672//")
REDIS_URL = env_secret("REDIS_URL", default="redis://127.0.0.1:6379/0")
# Two platforms on one broker must not eat each other's messages: a prefix gives each queues of its own.
MOONDEV_QUEUE_PREFIX = env_str("MOONDEV_QUEUE_PREFIX", default="")

# --- Trading -------------------------------------------------------------------------------------------------------
# Venues with queues (orders.<venue>, vetoes.<venue>) and processes of their own.
MOONDEV_VENUES = env_list("MOONDEV_VENUES", default="hyperliquid")
# Parameters of the replay clock as JSON, the same for every process of a run; empty is the live clock.
MOONDEV_CLOCK = env_str("MOONDEV_CLOCK", default="")
# Who knows every strategy's name: limits and rules on one that does not exist are refused.
MOONDEV_STRATEGY_NAMES = "apps.strategies.names.strategy_names"
# While this file exists nothing leaves this machine but cancels, whatever SQL and Redis say; exits too when its first
# word is "reducing".
MOONDEV_HALT_FILE = env_path("MOONDEV_HALT_FILE", default=RUN_DIR / "halt")
# Machines of the same name here speak to venues from one internet address, and share what is allowed to it.
MOONDEV_EGRESS = env_str("MOONDEV_EGRESS", default="default")
# Processes of `manage.py up` that this installation leaves out, by name, so that nobody misses them: research.
MOONDEV_PROCESSES_NOT_RUN = env_list("MOONDEV_PROCESSES_NOT_RUN", default="")
# The one currency in which everything is shown together. Empty: that of most portfolios, by name among equals.
MOONDEV_REPORTING_CURRENCY = env_str("MOONDEV_REPORTING_CURRENCY", default="")
# Whether requests are counted against the venues' limits before they leave. Off is for load tests against the mock.
MOONDEV_RATE_LIMITS = env_choice("MOONDEV_RATE_LIMITS", allowed=frozenset({"on", "off"}), default="on")
# Where kept market data lies as Parquet files, outside of what `make clean` removes.
MOONDEV_LAKE_DIR = env_path("MOONDEV_LAKE_DIR", default=PROJECT_ROOT / "lake")
# Recorded files that backtests may be asked to run on, by admin and API; other files are for the command line.
MOONDEV_DATA_DIR = env_path("MOONDEV_DATA_DIR", default=PROJECT_ROOT / "data")
# Trained filters, named by their content; every worker that runs a filtered strategy must see the same folder.
MOONDEV_MODELS_DIR = env_path("MOONDEV_MODELS_DIR", default=PROJECT_ROOT / "models")
# Whose live bars the stream processes keep in the database: those of real venues, of all (paper too), or of none.
MOONDEV_KEEP_BARS = env_choice("MOONDEV_KEEP_BARS", allowed=frozenset({"real", "all", "none"}), default="real")
# The folder of the operator's own strategies. A machine on which this is not set runs nobody's code but the library's;
# the folder itself need lie only where the dispatcher runs.
MOONDEV_STRATEGIES_DIR = env_optional_path("MOONDEV_STRATEGIES_DIR")
# Messages into which strategies that are due together are spread, per priority.
TICK_SHARDS = env_int("TICK_SHARDS", default=2, minimum=1)
MOCK_URL = env_str("MOCK_URL", default="http://localhost:8001")
# Where Flower listens for the web process, and for nobody else: unix:/path, or http://flower:5555 on another machine.
FLOWER_AT = env_str("FLOWER_AT", default=f"unix:{RUN_DIR}/flower/{env_int('WEB_PORT', default=8000, minimum=1)}.socket")
# Where people find it, with the login of the admin, which links there.
FLOWER_URL = "/flower/"
# A venue that is not paper is reached only when the environment says exactly these words.
LIVE_TRADING_WORDS = "yes-trade-real-money"
MOONDEV_LIVE_TRADING = env_choice("MOONDEV_LIVE_TRADING", allowed=frozenset({"", LIVE_TRADING_WORDS}), default="")

# Whether what a person asks to release trades again only when a second person has confirmed it. Development says no,
# unless it trades real money; nothing in the environment can.
MOONDEV_RELEASE_NEEDS_SECOND_PERSON = True

# Web processes that share one port; each takes a core when much is asked, and about 200 MB.
WEB_WORKERS = env_int("WEB_WORKERS", default=1, minimum=1)

# --- API -----------------------------------------------------------------------------------------------------------
# How much one caller (a token, or a person) and one address may ask, and how often one may fail to say who it is.
API_RATE_PER_CALLER = env_str("API_RATE_PER_CALLER", default="50/second")
API_RATE_PER_ADDRESS = env_str("API_RATE_PER_ADDRESS", default="200/second")
API_RATE_OF_FAILURES = env_str("API_RATE_OF_FAILURES", default="30/minute")
# From where what may cost money is accepted: orders, limits, releases. Halting is accepted from anywhere.
API_CRITICAL_NETWORKS = env_list(
    "API_CRITICAL_NETWORKS", default="127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
)

# --- Alerts --------------------------------------------------------------------------------------------------------
# Whether a notice may be sent without TLS; development says yes.
ALERTS_MAY_BE_PLAIN = False
# The only hosts that webhooks may be sent to; empty: any.
ALERTS_WEBHOOK_HOSTS = env_list("ALERTS_WEBHOOK_HOSTS", default="")
# Where a message leads who wants to see more: the dashboard as people reach it. Empty: messages lead nowhere.
ALERTS_DASHBOARD_URL = env_page("ALERTS_DASHBOARD_URL")
# Where Discord's webhooks and Telegram's bots are spoken to; elsewhere for a proxy, or a server that plays their part.
ALERTS_DISCORD_URL = env_str("ALERTS_DISCORD_URL", default="https://discord.com/api/webhooks")
ALERTS_TELEGRAM_URL = env_str("ALERTS_TELEGRAM_URL", default="https://api.telegram.org")
# The bot that takes commands; empty: nobody is listened to. It may be the one that a channel sends as.
TELEGRAM_COMMANDS_TOKEN = env_secret("TELEGRAM_COMMANDS_TOKEN", default="")
# Numbers of the groups in which commands may be given, besides private chats; everybody there reads the answers.
TELEGRAM_CHATS = [int(chat) for chat in env_list("TELEGRAM_CHATS", default="")]

# --- Metrics -------------------------------------------------------------------------------------------------------
# Where the processes of this machine leave their numbers for `manage.py metrics` (best on a tmpfs: what is counted is
# then never waited for). It answers Prometheus on an address of this machine, and nobody outside of the networks.
MOONDEV_METRICS_DIR: Path | None = env_path("MOONDEV_METRICS_DIR", default=RUN_DIR / "metrics")
METRICS_ADDRESS = env_str("METRICS_ADDRESS", default="127.0.0.1")
METRICS_NETWORKS = env_list("METRICS_NETWORKS", default="127.0.0.0/8,::1/128")
# --- Reports and mail ----------------------------------------------------------------------------------------------
# Where days begin, for daily and weekly reports: a name as in Europe/Berlin.
MOONDEV_REPORT_ZONE = env_zone("MOONDEV_REPORT_ZONE", default="UTC")
# The mail server. Empty: no mail is sent to anybody, whoever is a recipient.
EMAIL_HOST = env_str("EMAIL_HOST", default="")
EMAIL_PORT = env_int("EMAIL_PORT", default=587, minimum=1)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env_secret("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = env_int("EMAIL_TIMEOUT", default=20, minimum=1)
DEFAULT_FROM_EMAIL = env_str("EMAIL_FROM", default="MoonDev AlgoTrade <moondev@localhost>")

# --- Promotion -----------------------------------------------------------------------------------------------------
# Whether a strategy may enter a stage without passing its gates; development says yes.
MOONDEV_GATES_MAY_BE_SKIPPED = False

# --- Logging -------------------------------------------------------------------------------------------------------
# Lines for people, or JSON for machines; staging and production say json.
LOG_LEVEL = env_str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = "moondev.logs.setup.configure"
LOGGING = log_lines(style="plain", level=LOG_LEVEL, environment="development")

# --- Traces --------------------------------------------------------------------------------------------------------
# Where traces of ticks and orders go, as OTLP over HTTP: http://collector:4318/v1/traces. Empty: nowhere, at no cost.
MOONDEV_TRACES_ENDPOINT = env_traces_endpoint("MOONDEV_TRACES_ENDPOINT")
# Of how many ticks in a hundred; every process decides alike, so a trace is whole or absent.
MOONDEV_TRACES_PERCENT = env_int("MOONDEV_TRACES_PERCENT", default=100, minimum=0)
