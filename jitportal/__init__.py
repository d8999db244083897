"""The portal's wiring, and its two outside worlds: the directory (Entra ID) and AWS."""

from jitportal.celery import app as celery_app

__all__ = ["celery_app"]
