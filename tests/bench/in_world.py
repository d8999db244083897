"""Sets Django up in the environment of a world, and measures one figure there."""

import django
from django.utils.module_loading import import_string

django.setup()
import_string("tests.bench.figures.main")()
