"""Shows the fresh proof that a request or a decision was given with, as the evidence it is."""

from django import template

from catalog.step_up import Proof, read_proofs

register = template.Library()


@register.filter
def proofs(kept: object) -> tuple[Proof, ...]:
    """The proofs that a row keeps, each with its `context` and the moment `at` which it was given."""
    return read_proofs(kept)
