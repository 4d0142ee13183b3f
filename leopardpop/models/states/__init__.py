"""Models of sites in hidden states: log Pr(visits | state), transitions between seasons, one forward algorithm."""
