"""The pages, over HTTP: who sees what, what may be pressed, and what becomes of what was typed."""
