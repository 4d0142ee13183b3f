"""Planning a survey before the field season: what it will find, what it will tell, and where the stations should be.

For example:

>>> import leopardpop as lp
>>> lp.design.expected.__name__
'expected'
"""

from __future__ import annotations

from leopardpop.design.expectation import Expected, expected
from leopardpop.design.landscape import GaussianField, gaussian_field
from leopardpop.design.layout_choice import Limits
from leopardpop.design.layouts import Layout, layout
from leopardpop.design.more import More, more_occasions
from leopardpop.design.reality import Reality
from leopardpop.design.reporting import report
from leopardpop.design.scenario import Scenario
from leopardpop.design.site_widths import SitePrecision, site_precision
from leopardpop.design.sites import visits
from leopardpop.design.studies import study
from leopardpop.design.study_result import Study
from leopardpop.design.trends import Power, Trend, power
from leopardpop.design.virtual import VirtualSurvey, VirtualTruth, virtual_survey

__all__ = [
    "Expected",
    "GaussianField",
    "Layout",
    "Limits",
    "More",
    "Power",
    "Reality",
    "Scenario",
    "SitePrecision",
    "Study",
    "Trend",
    "VirtualSurvey",
    "VirtualTruth",
    "expected",
    "gaussian_field",
    "layout",
    "more_occasions",
    "power",
    "report",
    "site_precision",
    "study",
    "virtual_survey",
    "visits",
]
