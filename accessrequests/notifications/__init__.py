"""Messages to people: written to an outbox with the change they speak of, sent afterwards, one module a channel."""
