"""How pages of the catalog put terms into words."""
