"""Whether the answer can be trusted: whether the model can have made the data, and what the answer hangs on."""
