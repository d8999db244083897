#!/usr/bin/env python
"""Django's command line for jitportal."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jitportal.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # What is wrong with the environment is for whoever set it: a sentence, not a traceback.
        sys.exit(str(error))
