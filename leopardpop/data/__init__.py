"""Tables, files and labels: what was seen, where, with how much effort. It knows no mathematics and no models."""
