"""The ledger's tables: events, the head of their chain, and signed checkpoints of it."""

import json
from typing import Any

from django.db import models

from auditlog import chain


class Event(models.Model):
    """One thing that happened; written by `ledger.record` alone, and never changed.

    `canonical` is the evidence. The other columns repeat it for searching; verification compares them.
    There are no foreign keys: an event outlives what it speaks of.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=100)
    actor_name = models.TextField()
    action = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=200)
    canonical = models.TextField("exact record")
    previous_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ("-number",)
        constraints = (models.CheckConstraint(condition=models.Q(number__gte=1), name="event_number_from_one"),)
        indexes = (
            models.Index(fields=["at"], name="event_at"),
            models.Index(fields=["actor", "number"], name="event_actor"),
            models.Index(fields=["action", "number"], name="event_action"),
            models.Index(fields=["subject_id", "number"], name="event_subject"),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.action}"

    @property
    def data(self) -> dict[str, Any]:
        """What else was recorded, read from the evidence itself."""
        recorded: dict[str, Any] = json.loads(self.canonical)["data"]
        return recorded

    @property
    def subject(self) -> str:
        """What it speaks of, as text: "request:6b0c…"."""
        return f"{self.subject_kind}:{self.subject_id}"

    @property
    def shown(self) -> dict[str, str]:
        """The readable columns as text, in the order of an export."""
        return {column: str(getattr(self, column)) for column in chain.COLUMNS} | {"at": chain.stamp(self.at)}

    @property
    def sentence(self) -> str:
        """The event in human words, as they stood when it was recorded; read from the evidence itself."""
        try:
            said = json.loads(self.canonical)["sentence"]
        except (ValueError, TypeError, KeyError, RecursionError):
            # Whoever looks for tampering must be able to see the page that it is on.
            return "The record of this event cannot be read"
        return str(said)


class ChainHead(models.Model):
    """The single row that says where the chain ends; locking it puts those who append in line."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="chain_head_is_single"),)

    def __str__(self) -> str:
        return f"head at {self.number}"


class Checkpoint(models.Model):
    """A signed statement that the chain had this hash at this number; a copy of it proves later rewriting.

    `signature` is Ed25519 over `chain.checkpoint_text`, in hexadecimal; `key_id` names the public key.
    """

    number = models.BigIntegerField(primary_key=True)
    hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    signature = models.CharField(max_length=128)

    class Meta:
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"checkpoint at {self.number}"

    @property
    def stated(self) -> chain.Checkpoint:
        """The checkpoint as an auditor gets it."""
        return chain.Checkpoint(self.number, self.hash, chain.stamp(self.at), self.key_id, self.signature)
