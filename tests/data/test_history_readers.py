"""oSCR, SPACECAP and DENSITY: real surveys rewritten as their programs take them, and small ones by hand."""

from __future__ import annotations

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import DataError

EDF = "session,ID,occ,trap,sex\n1,F1,1,A,F\n1,F1,3,B,F\n1,M1,3,B,\n1,M1,3,B,M\n"
TDF = "trap,X,Y,1,2,3,sep,road\nA,0,0,1,1,0,/,yes\nB,2000,500,1,1,1,/,no\n"
CAPTURES = "LOC_ID,ANIMAL_ID,SO\n1,1,1\n2,1,3\n2,2,3\n"
TRAPS = "LOC_ID,X_Coord,Y_Coord,1,2,3\n1,0,0,1,1,0\n2,2000,500,1,1,1\n"
CELLS = "X_COORD,Y_COORD,HABITAT,snow\n0,0,1,3\n580,0,1,4\n1159,0,0,5\n0,579,1,6\n"


@pytest.fixture
def oscr(tmp_path):
    """Write texts as files and read them."""

    def _oscr(edf=EDF, tdf=TDF, **options):
        (tmp_path / "edf.csv").write_text(edf)
        texts = tdf if isinstance(tdf, list) else [tdf]
        files = [tmp_path / f"tdf{i}.csv" for i in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text)
        return lp.read_oscr(tmp_path / "edf.csv", files if isinstance(tdf, list) else files[0], **options)

    return _oscr


@pytest.fixture
def spacecap(tmp_path):
    """Write texts as files and read them."""

    def _spacecap(captures=CAPTURES, traps=TRAPS, cells=CELLS, **options):
        files = {"captures.csv": captures, "traps.csv": traps, "cells.csv": cells}
        for name, text in files.items():
            if text is not None:
                (tmp_path / name).write_text(text)
        third = () if cells is None else (tmp_path / "cells.csv",)
        return lp.read_spacecap(tmp_path / "captures.csv", tmp_path / "traps.csv", *third, **options)

    return _spacecap


def test_oscr_by_hand(oscr):
    history = oscr()
    assert history.detections[["individual", "station", "occasion"]].to_numpy().tolist() == [
        ["F1", "A", "1"],
        ["F1", "B", "3"],
        ["M1", "B", "3"],
    ]
    assert history.effort["effort"].tolist() == [1, 1, 0, 1, 1, 1]
    assert history.individuals["sex"].tolist() == ["F", "M"]
    assert history.stations["road"].tolist() == ["yes", "no"]
    assert history.audit.to_numpy().tolist() == [
        ["edf.csv", 5, "merged", "same animal, trap and occasion as an earlier row"]
    ]
    assert oscr(detector="count").n_detections == 4


def test_oscr_without_usage(oscr):
    bare = "trap,X,Y\nA,0,0\nB,2,0.5\n"
    history = oscr(tdf=bare, coordinate_unit="km", occasions=5)
    assert history.n_occasions == {"1": 5}
    assert history.stations["x"].tolist() == [0, 2000]
    assert oscr(tdf=bare.replace("2,0.5", "2000,500")).n_occasions == {"1": 3}
    covariates = "trap,X,Y,sep,road\nA,0,0,/,1\nB,2000,500,/,0\n"
    assert oscr(tdf=covariates).stations["road"].tolist() == [1, 0]
    tilde = TDF.replace("/", "~")
    assert oscr(tdf=tilde, separator="~") == oscr()


def test_oscr_sessions_are_in_its_order(oscr):
    edf = EDF + "10,F1,1,C,F\n2,F2,2,A,F\n"
    other = "trap,X,Y,1,2\nC,9000,0,1,1\nA,9000,500,1,1\n"
    history = oscr(edf, [TDF, other.replace("9000", "5000"), other])
    assert history.sessions == ("1", "2", "10")  # numbers ascending, not as text
    assert history["2"].stations["x"].tolist() == [5000, 5000]
    assert history.n_occasions == {"1": 3, "2": 2, "10": 2}


def test_a_real_survey_as_oscr_takes_it(shared, tmp_path):
    folder = shared / "data" / "fortdrum_bears"
    captures = pd.read_csv(folder / "captures.csv")
    traps = pd.read_csv(folder / "traps.csv")
    edf = captures[["session", "individual", "occasion", "trap"]]
    tdf = pd.DataFrame({"Trap": traps["trap"], "X": traps["x"] / 1000, "Y": traps["y"] / 1000})
    for occasion in range(1, 9):
        tdf[str(occasion)] = 1
    edf.to_csv(tmp_path / "edf.csv", index=False)
    tdf.to_csv(tmp_path / "tdf.csv", index=False)
    history = lp.read_oscr(tmp_path / "edf.csv", tmp_path / "tdf.csv", coordinate_unit="km")
    same = lp.CaptureHistory.from_tables(
        captures=edf.rename(columns={"trap": "station"}),
        stations=traps.drop(columns="session").rename(columns={"trap": "station"}).assign(session=1),
        occasions=8,
    )
    assert (history.n_individuals, history.n_detections) == (47, 151)
    assert history.data_hash == same.data_hash


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"edf": EDF.replace(",A,F", ",Q,F")}, r"edf\.csv line 2: .*'Q'"),
        ({"edf": EDF.replace(",1,A", ",4,A")}, r"edf\.csv line 2: .*'4'"),
        ({"edf": EDF.replace(",1,A", ",first,A")}, r"edf\.csv line 2: occ is 'first'"),
        ({"edf": EDF.replace("3,B,F", "3,B,M")}, r"edf\.csv line 3: the sex of 'F1' is 'M', in an earlier row 'F'"),
        ({"edf": EDF.replace("ID", "Bär")}, r"edf\.csv has no column 'ID' \(our name: individual\)"),
        ({"edf": EDF.replace(",1,A", ",3,A")}, r"edf\.csv line 2.*(no effort|effort is 0|effort 0|zero)"),
        ({"tdf": "trap,X\nA,0\n"}, r"tdf0\.csv has columns 'trap', 'X'; a label, x and y are needed"),
        ({"tdf": "trap,X,Y\n"}, r"tdf0\.csv has no rows: there are no traps"),
        ({"tdf": TDF.replace("2000", "two")}, r"tdf0\.csv line 3: X is 'two'"),
        ({"tdf": TDF.replace("road", "station")}, r"tdf0\.csv has a covariate 'station'"),
        ({"tdf": [TDF, TDF]}, r"2 tables of traps for 1 session in edf\.csv"),
        ({"occasions": 5}, r"tdf0\.csv has usage for 3 occasions, but occasions= says 5"),
        ({"coordinate_unit": "miles"}, r"coordinate_unit='miles' is not known"),
        ({"detector": "single"}, r"detector='single' is not known"),
        ({"edf": EDF.splitlines()[0] + "\n", "tdf": "trap,X,Y\nA,0,0\n"}, r"neither usage nor encounters"),
    ],
)
def test_bad_oscr(oscr, changes, message):
    with pytest.raises(DataError, match=message):
        oscr(**changes)


def test_oscr_sessions_by_name(oscr, tmp_path):
    oscr()
    tables = {"1": tmp_path / "tdf0.csv", "2": tmp_path / "tdf0.csv"}
    history = lp.read_oscr(tmp_path / "edf.csv", tables)
    assert (history.sessions, history["2"].n_detections) == (("1", "2"), 0)
    with pytest.raises(DataError, match=r"edf\.csv line 2: session '1' is not in tdf="):
        lp.read_oscr(tmp_path / "edf.csv", {"2022": tmp_path / "tdf0.csv"})


def test_spacecap_by_hand(spacecap):
    history, mask = spacecap()
    assert history.detections[["individual", "station", "occasion"]].to_numpy().tolist() == [
        ["1", "1", "1"],
        ["1", "2", "3"],
        ["2", "2", "3"],
    ]
    assert history.effort["effort"].tolist() == [1, 1, 0, 1, 1, 1]
    assert mask.table[["x", "y", "snow"]].to_numpy().tolist() == [[0, 0, 3], [580, 0, 4], [0, 579, 6]]
    assert mask.area.tolist() == pytest.approx([0.5795 * 0.579] * 3)  # rows are 579.5 m apart, rounded to metres
    assert spacecap(cell_area=0.336).mask.area.tolist() == [0.336] * 3
    assert spacecap(cells=None).mask is None


def test_a_real_survey_as_spacecap_takes_it(shared, tmp_path):
    folder = shared / "data" / "gsm-blackbear"
    captures, traps, mask = (pd.read_csv(folder / f"{name}.csv") for name in ("captures", "traps", "mask"))
    details = captures.rename(columns={"trap": "LOC_ID", "id": "ANIMAL_ID", "occasion": "SO"})
    details[["LOC_ID", "ANIMAL_ID", "SO"]].to_csv(tmp_path / "captures.csv", index=False)
    deployed = traps.set_axis(["LOC_ID", "X_Coord", "Y_Coord"], axis=1)
    n = int(captures["occasion"].max())
    deployed.assign(**{str(s + 1): 1 for s in range(n)}).to_csv(tmp_path / "traps.csv", index=False)
    mask.set_axis(["X_COORD", "Y_COORD"], axis=1).assign(HABITAT=1).to_csv(tmp_path / "cells.csv", index=False)
    found = lp.read_spacecap(*(tmp_path / f"{name}.csv" for name in ("captures", "traps", "cells")))
    same = lp.CaptureHistory.from_tables(
        captures.rename(columns={"trap": "station", "id": "individual"})[["individual", "station", "occasion"]],
        traps.rename(columns={"trap": "station"}),
        occasions=n,
    )
    assert found.history.data_hash == same.data_hash
    assert len(found.mask) == len(mask)
    assert found.mask.area[0] == pytest.approx(0.25)  # the centres are 500 m apart


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"captures": CAPTURES.replace("2,2,3", "3,2,3")}, r"captures\.csv line 4: .*'3'"),
        ({"captures": CAPTURES.replace("1,1,1", "1,1,0")}, r"captures\.csv line 2: SO is '0'"),
        ({"captures": CAPTURES.replace("ANIMAL_ID", "TIGER")}, r"captures\.csv has no column 'ANIMAL_ID'"),
        ({"traps": "LOC_ID,X_Coord,Y_Coord\n1,0,0\n"}, r"traps\.csv has no columns of occasions"),
        ({"traps": TRAPS.replace("0,0,1,1,0", "0,0,1,on,0")}, r"traps\.csv line 2"),
        ({"cells": CELLS.replace("0,0,1,3", "0,0,2,3")}, r"cells\.csv line 2: HABITAT is 2\. 1 is habitat"),
        ({"cells": "X_COORD,Y_COORD,HABITAT\n0,0,0\n"}, r"cells\.csv has no cell that is habitat"),
        ({"cells": "X_COORD,Y_COORD,HABITAT\n0,0,1\n"}, r"cells\.csv lie on no lattice.* Pass cell_area="),
        ({"cells": CELLS.replace("580,0", "777,111")}, r"lie on no lattice"),
        ({"cells": CELLS.replace("0,579,1", "0,0,1")}, r"a cell at x=0, y=0 is there already|lattice"),
    ],
)
def test_bad_spacecap(spacecap, changes, message):
    with pytest.raises(DataError, match=message):
        spacecap(**changes)


def test_density_is_secr_with_traps_that_hold_animals(shared):
    folder = shared / "data" / "secr-text"
    history = lp.read_density(folder / "capt.txt", folder / "trap.txt")
    assert (history.detector, history.n_individuals, history.n_detections) == ("multi", 76, 235)
    assert history == lp.read_secr(folder / "capt.txt", folder / "trap.txt", detector="multi")


def test_every_file_of_secr_is_read_or_refused(shared):
    """Files of captures with the traps that belong to them; all others are traps, polygons, sightings or telemetry."""
    folder = shared / "data" / "secr-text"
    traps = {"capt.txt": ["trap.txt"], "stoatcapt.txt": ["stoattrap.txt"], "MRCHcapt.txt": ["MRCHtrap.txt"]}
    kruger = ["kruger_ch_trap.txt", "kruger_traps.txt", "kruger_traps_xy.txt", "kruger_traps_xy.csv"]
    traps |= {"kruger_ch_capt.txt": kruger, "kruger_capthist.csv": kruger}
    for captures, several in traps.items():
        histories = [lp.read_secr(folder / captures, folder / file, detector="count") for file in several]
        assert {history.n_detections for history in histories} == {histories[0].n_detections}
    others = {"Tm.txt", "Tu.txt", "leftbank.txt", "polygonexample1.txt", "polygonexample2.txt", "possumarea.txt"}
    others |= {"telemetrydemo.txt", "meta.json"}
    assert {file.name for file in folder.iterdir()} == others | set(traps) | {t for s in traps.values() for t in s}
