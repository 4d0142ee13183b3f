"""Random capture histories for Hypothesis."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.parts import SessionParts
from leopardpop.data.vocabulary import is_no_label

# Labels as people write them, with everything in them that a text file could trip over.
labels = st.text(
    st.one_of(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), st.sampled_from(" \"#,;/-'1NONE")),
    min_size=1,
    max_size=6,
).filter(lambda text: text == text.strip() and not is_no_label(text))
words = labels.filter(lambda text: text not in {"NA", "N/A", "NaN", "nan", "<NA>"})
metres = st.floats(-1e7, 1e7, allow_subnormal=False)


@st.composite
def sessions(draw: st.DrawFn, label: str, detector: str) -> SessionParts:
    n, K, S = draw(st.integers(0, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    on = st.sampled_from([1.0, 2.5, 1 / 3])
    effort = np.array(draw(st.lists(st.one_of(on, st.just(0.0)), min_size=K * S, max_size=K * S))).reshape(K, S)
    effort[0, 0] = draw(on)
    cells = [(i, k, s) for i in range(n) for s in range(S) for k in range(K) if effort[k, s] > 0]
    chosen = draw(st.sets(st.sampled_from(cells))) if cells else set()
    chosen |= {(i, 0, 0) for i in range(n)}
    if detector == "multi":
        chosen = set({(i, s): (i, k, s) for i, k, s in sorted(chosen)}.values())
    rows = np.array(sorted(chosen), dtype=int).reshape(-1, 3)
    last = np.array([rows[rows[:, 0] == i, 2].max() + 1 for i in range(n)], dtype=int)
    died = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    most = 3 if detector == "count" else 1
    unique = {"unique": True}
    return SessionParts(
        session=label,
        individuals=draw(st.lists(labels, min_size=n, max_size=n, **unique)),
        stations=draw(st.lists(labels, min_size=K, max_size=K, **unique)),
        xy=np.array(draw(st.lists(metres, min_size=2 * K, max_size=2 * K))).reshape(K, 2),
        effort=effort,
        individual=rows[:, 0],
        station=rows[:, 1],
        occasion=rows[:, 2],
        count=draw(st.lists(st.integers(1, most), min_size=len(rows), max_size=len(rows))),
        exposure=np.where(died, last, S),
        removed=died,
        occasions=draw(st.one_of(st.none(), st.lists(labels, min_size=S, max_size=S, **unique))),
        station_covariates=pd.DataFrame(
            {
                "snow": _column(draw, st.one_of(metres, st.just(np.nan)), K, float),
                "the lure": _column(draw, st.one_of(words, st.none()), K, object),
            }
        ),
        individual_covariates=pd.DataFrame({"sex": _column(draw, st.sampled_from(["F", "M", "1", None]), n, object)}),
    )


def _column(draw: st.DrawFn, values: st.SearchStrategy[object], size: int, dtype: type) -> pd.Series:
    return pd.Series(draw(st.lists(values, min_size=size, max_size=size)), dtype=dtype)


@st.composite
def histories(draw: st.DrawFn) -> CaptureHistory:
    detector = draw(st.sampled_from(["proximity", "count", "multi"]))
    without_slash = labels.filter(lambda label: "/" not in label)  # "a/b" + "c" and "a" + "b/c" would collide
    names = draw(st.lists(without_slash, min_size=1, max_size=3, unique=True))
    return history_from_parts(
        [draw(sessions(name, detector)) for name in names],
        detector=detector,
        effort_unit=draw(st.sampled_from(["day", "occasion", "trap-night"])),
        crs=draw(st.sampled_from([None, "EPSG:32652"])),
    )
