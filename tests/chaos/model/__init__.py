"""What a model may do to the portal, a file for each part of the world that does it."""
