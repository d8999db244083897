"""How pages put refusals, proofs and short sentences into words."""
