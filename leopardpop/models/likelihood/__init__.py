"""The likelihood of spatial capture-recapture, once: terms of a session, two forms, and their combination."""
