"""Asks the organisation's ticket system whether a ticket is good, by a webhook of its own."""
