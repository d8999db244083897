"""Sign-in through Entra ID: the gate, the groups, the way out."""
