"""What a catalog file manages: it is changed by that file, and by nobody in the admin."""

from django.db import models

LONGEST_FILE_NAME = 120


class ManagedByFile(models.Model):
    """A row that a file may manage, known by the file's name; empty: the admin does."""

    # Empty is null, and not a text: versions that were kept before this column came keep their digests.
    managed_by_file = models.CharField(  # noqa: DJ001
        "managed by the file", max_length=LONGEST_FILE_NAME, null=True, blank=True, editable=False
    )

    class Meta:
        abstract = True
