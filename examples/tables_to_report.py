"""From tables on disk to a report: captures, stations and effort as CSV files, as most surveys keep them.

The tables in ``survey/`` are synthetic: 120 stations over 13 weeks in the hills of the Amur leopard. The same analysis
without Python: ``leopardpop fit survey/analysis.toml``.
"""

import sys
from pathlib import Path

import leopardpop as lp

TABLES = Path(__file__).parent / "survey"

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
    history = lp.CaptureHistory.from_tables(
        captures=TABLES / "captures.csv",
        stations=TABLES / "stations.csv",
        effort=TABLES / "effort.csv",
        individuals=TABLES / "individuals.csv",
        detector="proximity",
        effort_unit="day",
        crs="EPSG:32652",
    )
    print(history)
    mask = lp.Mask.around(history, buffer=25_000, spacing=2_000)
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ 1", sigma="~ sex"), classes="sex")
    fit = model.fit(history, mask, seed=1)
    print(fit)
    print(fit.population())
    fit.report(folder / "report.html")  # positions of the cameras are hidden in it
    fit.save(folder / "fit.nc")
    print("Written:", folder / "report.html")
