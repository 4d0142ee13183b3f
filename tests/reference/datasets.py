"""Surveys as plain records for the naive code: they live where ``leopardpop verify`` reads them, too.

The data stay where they are: only tests and ``verify`` read them.
"""

from leopardpop.checks.known.plain import PlainSurvey, library_history, library_masks
from leopardpop.checks.known.surveys import read_layout_a

__all__ = ["PlainSurvey", "library_history", "library_masks", "read_layout_a"]
