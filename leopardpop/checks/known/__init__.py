"""Published answers, and how to find them again with this library."""
