"""How every page puts times into words."""
