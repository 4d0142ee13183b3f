"""Whether the answer can be trusted: what it follows from, and what it does not."""
