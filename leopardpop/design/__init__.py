"""Planning a survey before the field season: what it will find, what it will tell, and where the stations should be.

For example:

>>> import leopardpop as lp
>>> lp.design.expected.__name__
'expected'
"""

from __future__ import annotations

from leopardpop.design.expectation import Expected, expected
from leopardpop.design.layout_choice import Limits
from leopardpop.design.layouts import Layout, layout
from leopardpop.design.more import More, more_occasions
from leopardpop.design.scenario import Scenario
from leopardpop.design.site_widths import SitePrecision, site_precision
from leopardpop.design.sites import visits
from leopardpop.design.studies import study
from leopardpop.design.study_result import Study
from leopardpop.design.trends import Power, Trend, power

__all__ = [
    "Expected",
    "Layout",
    "Limits",
    "More",
    "Power",
    "Scenario",
    "SitePrecision",
    "Study",
    "Trend",
    "expected",
    "layout",
    "more_occasions",
    "power",
    "site_precision",
    "study",
    "visits",
]
