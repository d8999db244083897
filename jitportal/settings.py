"""Django's settings for every size of the portal; what differs between them comes from `environment.read()`."""

import sys
from pathlib import Path
from typing import Any

from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF

from jitportal import environment, logs

ENVIRONMENT = environment.read()
BASE_DIR = Path(__file__).resolve().parent.parent
EMBEDDED = ENVIRONMENT.embedded

DEBUG = False
SECRET_KEY = ENVIRONMENT.secret_key
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
PORTAL_URL = ENVIRONMENT.portal_url
ROOT_URLCONF = "jitportal.urls"
WSGI_APPLICATION = None if EMBEDDED else "jitportal.wsgi.application"
AUTH_USER_MODEL = "jitportal.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
FORMAT_MODULE_PATH = "jitportal.formats"
USE_TZ = True

INSTALLED_APPS = [
    "jitportal",
    "jitportal.demo",
    "accessrequests",
    "catalog",
    "auditlog",
    "jitportal.signin.admin_app.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_htmx",
    "django_structlog",
    "simple_history",
]
if not EMBEDDED:
    INSTALLED_APPS.remove("jitportal.demo")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "jitportal.signin.limits.SessionLimits",
    "jitportal.wrong_verbs.WrongVerbs",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accessrequests.context.page",
                "catalog.context.page",
                "jitportal.entra.context.page",
                "jitportal.signin.context.page",
            ],
        },
    }
]

# The rows. On SQLite every transaction takes the write lock when it begins: without that, two that read first and
# write later fail with "database is locked".
_SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
}
DATABASES: dict[str, dict[str, Any]] = {"default": {**ENVIRONMENT.database, "ATOMIC_REQUESTS": False}}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = _SQLITE_OPTIONS
    DATABASES["default"]["TEST"] = {"NAME": f"{DATABASES['default']['NAME']}.test"}
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    # A process that is stopped in the middle of a transaction must not keep the others from ending access.
    _PATIENCE = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = _PATIENCE

# A Redis that does not answer within so many seconds is away.
_REDIS_TIMEOUTS = {"socket_timeout": 3, "socket_connect_timeout": 3}
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "jitportal.forgetful.ForgetfulRedisCache",
        "LOCATION": ENVIRONMENT.redis_url,
        "OPTIONS": _REDIS_TIMEOUTS,
    }
    if ENVIRONMENT.redis_url
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# Static files carry a digest in their name where they are collected (production).
STATIC_URL = "/static/"
STATIC_ROOT = None if EMBEDDED else BASE_DIR / "build" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = EMBEDDED

# Celery: messages only make the work fast, the rows make it true.
CELERY_BROKER_URL = ENVIRONMENT.redis_url or "memory://localhost/"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker waits for Redis as long as it takes; after a hundred tries it would end.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"visibility_timeout": 120, "unacked_restore_interval": 2, "unacked_restore_throttle": 1, **_REDIS_TIMEOUTS}
    if ENVIRONMENT.redis_url
    else {"polling_interval": 0.01}
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "work"
# The sweep has a queue of its own: behind other work it was seen to come 5 s late. So have removals, and the questions
# that make room for them: behind the start of hundreds of grants they were seen to come as late.
CELERY_TASK_ROUTES = {
    "accessrequests.tasks.sweep": {"queue": "sweep"},
    "accessrequests.tasks.remove": {"queue": "removal"},
    "accessrequests.tasks.watch": {"queue": "removal"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_DB_REUSE_MAX = 1000
CELERY_TIMEZONE = "UTC"
# What is due stands in the database: nothing to remember between two starts. Whatever is rarer than the sweep comes by
# the clock on the wall: counted from its own start, a scheduler that is often started again would never come to it.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "accessrequests.tasks.sweep", "schedule": 1.0, "options": {"expires": 60}},
    "scan": {"task": "accessrequests.tasks.scan", "schedule": crontab(minute="*/5"), "options": {"expires": 240}},
    "people": {
        "task": "jitportal.tasks.sync_people",
        "schedule": crontab(minute=f"*/{ENVIRONMENT.sync_people_minutes}"),
        "options": {"expires": 50 * ENVIRONMENT.sync_people_minutes},
    },
    "inventory": {
        "task": "jitportal.tasks.sync_inventory",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 500},
    },
    "local-admins": {
        "task": "jitportal.tasks.end_local_admins",
        "schedule": crontab(),
        "options": {"expires": 50},
    },
    "checkpoint": {"task": "auditlog.tasks.checkpoint", "schedule": crontab(minute=0), "options": {"expires": 600}},
}

# People come from Entra ID through OpenID Connect, and from nowhere else.
AUTHENTICATION_BACKENDS = ["jitportal.signin.backends.KnownPerson"]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
ENTRA_TENANT_ID = ENVIRONMENT.tenant_id
ENTRA_ISSUER = ENVIRONMENT.issuer
GRAPH_URL = ENVIRONMENT.graph_url
SYNC_PEOPLE_MINUTES = ENVIRONMENT.sync_people_minutes
# Per cent of the people whom the portal knows: if more leave at once, an admin must confirm it.
SYNC_MOST_LEAVERS = ENVIRONMENT.sync_most_leavers
ENTRA_GUESTS_ALLOWED = ENVIRONMENT.guests_allowed
ENTRA_ADMIN_GROUP_ID = ENVIRONMENT.admin_group
ENTRA_COMPLIANCE_GROUP_ID = ENVIRONMENT.compliance_group
ACCOUNT_ADAPTER = "jitportal.signin.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "jitportal.signin.adapters.DirectoryAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS: set[str] = set()
ACCOUNT_SIGNUP_FIELDS = ["email"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = False
SOCIALACCOUNT_ONLY = True
# allauth compares its local log-in and sign-up forms; there are none here.
SILENCED_SYSTEM_CHECKS = ["account.W001"]
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "entra",
                "name": "Microsoft Entra ID",
                "client_id": ENVIRONMENT.client_id,
                "secret": ENVIRONMENT.client_secret,
                "settings": {
                    "server_url": ENTRA_ISSUER,
                    "fetch_userinfo": False,
                    "uid_field": "oid",
                    "oauth_pkce_enabled": True,
                    "token_auth_method": "client_secret_post",
                    "scope": ["openid", "profile", "email"],
                },
            }
        ],
    }
}

# AWS, or the simulator in its place.
AWS_REGION = ENVIRONMENT.aws_region
AWS_ENDPOINT_URL = ENVIRONMENT.aws_endpoint
AWS_ROLE_ARN = ENVIRONMENT.aws_role_arn
IDENTITY_CENTER_INSTANCE_ARN = ENVIRONMENT.instance_arn
IDENTITY_STORE_ID = ENVIRONMENT.identity_store
AWS_ACCESS_PORTAL_URL = ENVIRONMENT.access_portal
OUTSTANDING_CAP = ENVIRONMENT.outstanding_cap
AWS_CALLS_PER_SECOND = ENVIRONMENT.calls_per_second
PROVISIONER = "jitportal.aws.identity_center.IdentityCenter"

# The life of a request.
REQUEST_LAPSES_AFTER = ENVIRONMENT.request_lapses_after
LONGEST_LEAD = ENVIRONMENT.longest_lead
OVERDUE_AFTER = ENVIRONMENT.overdue_after
# From this sensitivity on (a number of `catalog.models.Sensitivity`), a second admin must accept what is changed; None:
# nowhere.
SENSITIVE_FROM = ENVIRONMENT.sensitive_from
NOTIFICATION_CHANNELS = ["accessrequests.notifications.email.Email"]

# Who says whether tickets are good; empty if nobody does.
TICKET_SYSTEM = "jitportal.tickets.webhook.Webhook" if ENVIRONMENT.ticket_webhook_url else ""
TICKET_WEBHOOK_URL = ENVIRONMENT.ticket_webhook_url
TICKET_WEBHOOK_SECRET = ENVIRONMENT.ticket_webhook_secret

AUDIT_SIGNING_KEY = ENVIRONMENT.audit_signing_key
SIMPLE_HISTORY_REVERT_DISABLED = True

DEFAULT_FROM_EMAIL = ENVIRONMENT.from_email
if ENVIRONMENT.email:
    vars().update(ENVIRONMENT.email)
elif EMBEDDED:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = ENVIRONMENT.data_dir / "mail"
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

# The browser.
_SECURE = PORTAL_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE = ENVIRONMENT.session_idle
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_NAME = "__Host-session" if _SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _SECURE else "csrf"
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = _SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _SECURE else None
SECURE_HSTS_SECONDS = 31_536_000 if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Sign-in and sign-out are forms whose answer leads to the directory, and browsers hold that to this directive.
        "form-action": [SELF, "/".join(ENTRA_ISSUER.split("/")[:3])],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {"()": "jitportal.logs.formatter", "for_people": EMBEDDED, "colours": sys.stderr.isatty()},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": ENVIRONMENT.log_level},
    # In the demo's terminal only what a person should read; the pages show the rest.
    "loggers": {name: {"level": "WARNING" if EMBEDDED else "INFO"} for name in ("django_structlog", "celery", "kombu")},
}
logs.configure()
