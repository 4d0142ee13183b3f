"""Figures for a paper: drawn with matplotlib's objects, never through the global state of pyplot.

Every function takes ``ax=`` and returns the axes that it drew on; ``axes.figure`` is the figure, with ``caption`` (what
goes under it, with n) and ``alt_text`` (what it shows, in a sentence). A notebook shows the figure where the axes are
the value of a cell; ``axes.figure.savefig("figure.pdf")`` writes it. People reach the functions by ``fit.plot``,
``history.plot`` and ``survey.plot``.
"""
