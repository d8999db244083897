"""The life of one access request, from the ask to the confirmed end."""
