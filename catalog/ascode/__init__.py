"""The catalog as a file: written, read, compared with the catalog there is, and applied to it."""
