"""The WSGI application for production servers."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from jitportal.loaded import load_for_good

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jitportal.settings")

# A server that was started without its variables must not come up as a demo that everybody can sign in to.
if settings.EMBEDDED:
    raise ImproperlyConfigured(
        "JITPORTAL_MODE: a web server runs in production mode. Set JITPORTAL_MODE=production; "
        "for the demo use `make demo`."
    )

application = get_wsgi_application()
load_for_good()
