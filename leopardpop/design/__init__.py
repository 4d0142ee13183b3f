"""Planning a survey before the field season: what it will find, what it will tell, and where the stations should be.

For example:

>>> import leopardpop as lp
>>> lp.design.expected.__name__
'expected'
"""

from __future__ import annotations

from leopardpop.design.expected import Expected, expected

__all__ = ["Expected", "expected"]
