"""Second implementations: slow, obvious, and written from the mathematics alone."""
