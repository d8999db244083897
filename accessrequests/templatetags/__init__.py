"""How pages put times and refusals into words."""
