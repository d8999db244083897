"""On-call schedules: who takes turns, and who covers for them."""

from datetime import UTC, timedelta, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from auditlog.history import Records
from catalog.models.likeness import Likeness
from catalog.models.managed import ManagedByFile
from catalog.zones import zones

# Less, and a clock that is put forward could leave a turn out.
SHORTEST_TURN = timedelta(hours=1)


class OnCallSchedule(ManagedByFile):
    """People who are on call in turns of one length, handed over at the same local time of a time zone."""

    name = models.CharField(max_length=80)
    likeness = Likeness()
    zone = models.CharField("time zone", max_length=64)
    first_handover = models.DateTimeField()
    turn = models.DurationField("length of a turn", default=timedelta(days=7))

    history = Records(excluded_fields=["likeness"])

    class Meta:
        ordering = ("name",)
        verbose_name = "on-call schedule"
        constraints = (
            models.CheckConstraint(condition=Q(turn__gte=SHORTEST_TURN), name="on_call_turn_of_an_hour_at_least"),
        )

    def __str__(self) -> str:
        return self.name


class OnCallPerson(models.Model):
    """Somebody who takes turns, and when: positions follow one another, and then it begins anew."""

    schedule = models.ForeignKey(OnCallSchedule, models.CASCADE, related_name="people")
    position = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="Turns follow in this order."
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    history = Records()

    class Meta:
        ordering = ("schedule", "position")
        verbose_name = "person who takes turns"
        verbose_name_plural = "people who take turns"
        constraints = (
            models.UniqueConstraint(fields=("schedule", "position"), name="on_call_position_unique_in_schedule"),
            models.CheckConstraint(condition=Q(position__gte=1), name="on_call_position_from_one"),
        )

    def __str__(self) -> str:
        return f"{self.position}. {self.person} ({self.person.object_id})"


class OnCallCover(models.Model):
    """Somebody who is on call from one moment until another, whoever's turn it is."""

    schedule = models.ForeignKey(OnCallSchedule, models.CASCADE, related_name="covers")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until")

    history = Records()

    class Meta:
        ordering = ("schedule", "starts_at")
        verbose_name = "cover"
        constraints = (
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="on_call_cover_has_a_time"),
        )

    def __str__(self) -> str:
        zone = self.schedule.zone
        home: tzinfo = ZoneInfo(zone) if zone in zones() else UTC
        times = " to ".join(f"{at.astimezone(home):%Y-%m-%d %H:%M}" for at in (self.starts_at, self.ends_at))
        return f"{times} ({home}) {self.person} ({self.person.object_id})"
