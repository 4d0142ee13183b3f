"""Camtrap DP: what becomes a record, on which clock, at which station."""

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import DataError, DataWarning
from tests.data.camtrap_packages import DEPLOYMENTS, MEDIA, OBSERVATIONS, changed, descriptor, write_package

TABLES = ("deployments", "observations")


def read(folder, deployments=DEPLOYMENTS, observations=OBSERVATIONS, media=MEDIA, **keywords):
    return lp.read_camtrap_dp(write_package(folder, deployments, observations, media), **keywords)


def audit_of(survey) -> list[tuple]:
    return list(survey.audit[["line", "action", "reason"]].itertuples(index=False, name=None))


@pytest.fixture(scope="module")
def survey(shared):
    return lp.read_camtrap_dp(shared / "data" / "camtrapdp-example")


class TestOfficialExample:
    """Known answers of meta.json, and the mallard's days counted by hand from observations.csv."""

    def test_species_at_event_level(self, survey):
        assert survey.records["species"].value_counts().to_dict() == {
            "Anas platyrhynchos": 15,
            "Mustela putorius": 3,
            "Ardea": 2,
            "Aves": 2,
            "Anas strepera": 2,
            "Rattus norvegicus": 2,
            "Ardea cinerea": 1,
            "Martes foina": 1,
            "Vulpes vulpes": 1,
        }
        assert survey.records["individual"].isna().all()

    def test_every_row_is_in_the_audit(self, survey):
        assert len(survey.audit) == 549
        assert survey.audit["line"].tolist() == list(range(2, 551))
        assert survey.audit["action"].value_counts().to_dict() == {"merged": 510, "kept": 29, "dropped": 10}
        media = survey.audit[survey.audit["reason"].str.startswith("media level")]
        assert len(media) == 513
        assert survey.notes[:2] == (
            "Camtrap DP 1.0.2: 4 deployments, projected to EPSG:32631",
            "549 observations, 36 at event level are used",
        )

    def test_effort_is_exact(self, survey):
        days = (survey.deployments["end"] - survey.deployments["start"]).dt.total_seconds() / 86_400
        hand = [32 + (6 * 3600 + 44 * 60 + 4) / 86_400, 9 + (22 * 3600 + 50 * 60 + 59) / 86_400]
        hand += [9 + (2 * 3600 + 33 * 60 + 22) / 86_400, 22 + (46 * 60 + 42) / 86_400]
        assert days.tolist() == pytest.approx(hand, abs=1e-12)

    def test_the_clock_is_each_cameras_own(self, survey):
        assert survey.tz is None
        assert survey.deployments["utc_offset"].tolist() == ["+02:00", "+02:00", "+02:00", "+01:00"]
        first = survey.records.iloc[0]  # 02:57:37Z at +02:00
        assert first["timestamp"] == pd.Timestamp("2020-05-30 04:57:37")
        last = survey.records.iloc[-1]  # 19:43:09Z at +01:00, though it is summer by then
        assert last["timestamp"] == pd.Timestamp("2021-04-11 20:43:09")

    @pytest.mark.parametrize("tz, first, last", [("Europe/Brussels", 4, 21), ("UTC+10:00", 12, 5)])
    def test_a_zone(self, shared, tz, first, last):
        survey = lp.read_camtrap_dp(shared / "data" / "camtrapdp-example", tz=tz)
        hours = survey.records["timestamp"].dt.hour
        assert (hours.iloc[0], hours.iloc[-1]) == (first, last)

    def test_daily_history_of_the_mallard(self, survey):
        visits = survey.detection_history(species="Anas platyrhynchos", occasion="1D", occasion_start="00:00")
        y = visits.dataset["y"].squeeze("season")
        days = pd.DatetimeIndex(visits.dataset["visit_start"].to_numpy().ravel())
        seen = {
            site: [f"{day:%m-%d}" for day in days[y.sel(site=site).to_numpy() == 1]]
            for site in y["site"].values.tolist()
        }
        assert seen == {
            "e254a13c": ["05-30", "05-31", "06-06", "06-09", "06-12", "06-22"],
            "2df5259b": ["07-29", "07-30", "07-31", "08-02", "08-03", "08-04"],
            "ff1535c0": [],
            "ce943ced": [],
        }
        assert np.isfinite(y).sum("visit").to_numpy().tolist() == [33, 11, 11, 23]

    def test_media_level(self, shared):
        survey = lp.read_camtrap_dp(shared / "data" / "camtrapdp-example", level="media")
        assert len(survey.audit) == 549
        assert (survey.audit["reason"] == "event level, in a deployment that is read at media level").sum() == 36
        assert set(survey.records["capture_method"]) == {"activityDetection"}
        assert survey.records["media"].notna().all()

    def test_places(self, survey):
        places = survey.stations.set_index("station")
        assert survey.crs == "EPSG:32631"
        gap = places.loc["2df5259b", ["x", "y"]] - places.loc["ff1535c0", ["x", "y"]]
        assert np.hypot(*gap.astype(float)) == pytest.approx(435.9, abs=1)  # 0.003° north, 0.004° east at 51.18°
        assert places.loc["e254a13c", "position"] == "above stream"
        assert places["area"].tolist() == ["HS", "DL", "DL", "DM"]


class TestLevels:
    def test_event_rows_where_there_are_any(self, tmp_path):
        survey = read(tmp_path)
        assert survey.records["observation"].tolist() == ["o1", "o4"]
        assert audit_of(survey) == [
            (2, "kept", ""),
            (3, "merged", "media level: its event is there at event level"),
            (4, "dropped", "media level, in a deployment that is read at event level"),
            (5, "kept", ""),
            (6, "dropped", "no animal: observationType blank"),
            (7, "dropped", "no animal: observationType human"),
        ]

    def test_media_rows_of_a_deployment_that_has_no_others(self, tmp_path):
        text = OBSERVATIONS + "o7,a2,m9,e7,2024-02-08T21:00:00+10:00,,media,animal,Panthera pardus,1,,,M01,\n"
        survey = read(tmp_path, observations=text)
        assert survey.records["observation"].tolist() == ["o1", "o4", "o7"]
        assert survey.notes[1] == "7 observations, 4 at event level and 1 at media level are used"

    def test_events_that_nobody_has_looked_at_do_not_hide_the_media(self, tmp_path):
        text = changed(OBSERVATIONS, 2, "animal,Panthera pardus,1,adult,female,F01,flank:left", "unclassified,,,,,,")
        survey = read(tmp_path, observations=text)
        assert survey.records["observation"].tolist() == ["o2", "o3", "o4"]
        assert audit_of(survey)[0] == (2, "dropped", "event level, in a deployment that is read at media level")

    @pytest.mark.parametrize("level, kept", [("event", ["o1", "o4"]), ("media", ["o2", "o3"])])
    def test_one_level_on_demand(self, tmp_path, level, kept):
        assert read(tmp_path, level=level).records["observation"].tolist() == kept

    def test_another_word(self, tmp_path):
        with pytest.raises(DataError, match=r"level='events' must be None or one of 'event', 'media'. Did you mean"):
            read(tmp_path, level="events")
        with pytest.raises(DataError, match=r"observations.csv line 2: observationLevel is 'image'"):
            read(tmp_path, observations=changed(OBSERVATIONS, 2, ",event,", ",image,"))


class TestRecords:
    def test_fields(self, tmp_path):
        first, second = read(tmp_path).records.to_dict("records")
        known = {"station": "A", "deployment": "a1", "camera": "c1", "species": "Panthera pardus", "individual": "F01"}
        known |= {"sex": "F", "life_stage": "adult", "flank": "left", "count": 1, "event": "e1", "line": 2}
        assert {name: first[name] for name in known} == known
        assert first["event_end"] == pd.Timestamp("2024-02-03 21:00:30+10:00")
        assert second["timestamp"] == pd.Timestamp("2024-02-06 06:00:00+10:00")  # 20:00 UTC the day before
        assert (second["flank"], second["count"], second["sex"], second["individual"]) == ("both", 1, None, None)

    @pytest.mark.parametrize(
        "tags, side",
        [
            ("flank:Left", "left"),
            ("sharp|flank : R", "right"),
            ("flank:both", "both"),
            ("sharp | Flank: Right", "right"),
            ("FLANK:left", "left"),
            ("flank:?", None),
            ("left", None),
        ],
    )
    def test_flank_of_tags(self, tmp_path, tags, side):
        observations = changed(changed(OBSERVATIONS, 2, "flank:left", tags), 3, "flank:left", "")  # nor at media level
        survey = read(tmp_path, observations=observations)
        assert survey.records["flank"].tolist() == [side, "both"]

    def test_flank_of_a_column_or_another_key(self, tmp_path):
        text = OBSERVATIONS.replace("observationTags", "seite").replace("flank:left | flank:right", "R")
        assert read(tmp_path, observations=text, flank="seite").records["flank"].tolist() == ["left", "right"]
        text = OBSERVATIONS.replace("flank:", "side:")
        assert read(tmp_path, observations=text, flank="observationTags:side").records["flank"][0] == "left"
        assert read(tmp_path, flank=None).records["flank"].isna().all()
        with pytest.raises(
            DataError, match=r"flank='lifestage': observations.csv has no column 'lifestage'.*'lifeStage'"
        ):
            read(tmp_path, flank="lifestage")

    def test_tags_keep_the_rest(self, tmp_path):
        survey = read(tmp_path, observations=changed(OBSERVATIONS, 2, "flank:left", "sharp | Flank: Left | wind:N"))
        assert survey.records["tags"].tolist() == ["sharp | wind:N", None]

    def test_species_map(self, tmp_path):
        text = changed(OBSERVATIONS, 2, "Panthera pardus", "Pantera pardus")
        survey = read(tmp_path, observations=text, species_map={"Pantera pardus": "Panthera pardus"})
        assert set(survey.records["species"]) == {"Panthera pardus"}
        with pytest.raises(DataError, match=r"species_map names 'Panthera parda', which does not occur.*Did you mean"):
            read(tmp_path, species_map={"Panthera parda": "Panthera pardus"})

    def test_words_that_are_not_of_the_format(self, tmp_path):
        with pytest.warns(
            DataWarning, match=r"observations.csv line 2: sex is 'femal', read as unknown.*Did you mean 'f"
        ):
            survey = read(tmp_path, observations=changed(OBSERVATIONS, 2, "female", "femal"))
        assert survey.records["sex"].tolist() == [None, None]
        with pytest.warns(DataWarning, match=r"line 5: life stage is 'kiten', kept as it is"):
            survey = read(tmp_path, observations=changed(OBSERVATIONS, 5, "juvenile", "kiten"))
        assert survey.records["life_stage"].tolist() == ["adult", "kiten"]
        with pytest.warns(DataWarning, match=r"line 5: observationType is 'animall', taken for no animal.*Did you"):
            survey = read(tmp_path, observations=changed(OBSERVATIONS, 5, "animal", "animall"))
        assert survey.audit["reason"][3] == "no animal: observationType animall"

    def test_unknown_deployment(self, tmp_path):
        text = changed(changed(OBSERVATIONS, 2, "o1,a1", "o1,a7"), 5, "o4,b1", "o4,")
        with pytest.warns(
            DataWarning, match=r"line 2 is of the unknown deployment 'a7' \(2 rows without.*Did you mean 'a"
        ):
            survey = read(tmp_path, observations=text)
        assert survey.records["observation"].tolist() == ["o2", "o3"]  # no event of a1 is left
        reasons = dict(zip(survey.audit["line"], survey.audit["reason"], strict=True))
        assert (reasons[2], reasons[5]) == ("unknown deployment 'a7'", "no deployment")

    def test_a_row_that_is_there_twice_and_two_individuals_in_one_event(self, tmp_path):
        rows = OBSERVATIONS.splitlines(keepends=True)
        other = rows[1].replace("F01", "F02").replace("o1", "o11")
        survey = read(tmp_path, observations="".join([*rows, rows[1], other]))
        assert survey.records["individual"].tolist() == ["F01", None, "F02"]
        assert audit_of(survey)[6] == (8, "merged", "the same row as observations.csv line 2")

    def test_different_rows_of_one_name_are_told(self, tmp_path):
        text = OBSERVATIONS + OBSERVATIONS.splitlines(keepends=True)[1].replace("F01", "F02")
        with pytest.warns(DataWarning, match=r"line 8: observationID 'o1' is that of observations.csv line 2 already"):
            survey = read(tmp_path, observations=text)
        assert survey.records["individual"].tolist() == ["F01", None, "F02"]

    def test_a_package_without_media_is_said(self, tmp_path):
        folder = write_package(tmp_path, description={"resources": [{"name": n, "path": f"{n}.csv"} for n in TABLES]})
        assert "The package has no table of media: nothing is known of single images." in (
            lp.read_camtrap_dp(folder).notes
        )

    @pytest.mark.parametrize("count", ["0", "two", "1.5", "1e30", "inf", "-2", "1e400", "9999999999"])
    def test_counts(self, tmp_path, count):
        with pytest.raises(DataError, match=f"observations.csv line 2: count is '{count}'. A whole number is needed"):
            read(tmp_path, observations=changed(OBSERVATIONS, 2, "pardus,1", f"pardus,{count}"))

    def test_copies_of_images(self, tmp_path):
        media = MEDIA + "".join(
            f"{name},a1,timeLapse,2024-02-03T21:00:00+10:00,{path},false,image/jpeg\n"
            for name, path in (("m1", "x/1.jpg"), ("m2", "x/1.jpg"))
        )
        survey = read(tmp_path, media=media, level="media")
        assert survey.records["media_copy_of"].tolist() == [None, "m1"]
        assert survey.records["capture_method"].tolist() == ["timeLapse", "timeLapse"]

    def test_two_images_with_one_name(self, tmp_path):
        rows = [f"m1,a1,{way},2024-02-03T21:00:00+10:00,x/1.jpg,false,image/jpeg\n" for way in ("timeLapse", "motion")]
        told = r"media.csv line 3: mediaID 'm1' is that of .*media.csv line 2 already, but they say different"
        with pytest.warns(DataWarning, match=told):
            survey = read(tmp_path, media=MEDIA + "".join(rows), level="media")
        assert survey.records["capture_method"].tolist()[0] == "timeLapse"
        (tmp_path / "same").mkdir()
        read(tmp_path / "same", media=MEDIA + rows[0] * 2, level="media")  # the same row twice is no question

    def test_no_observations(self, tmp_path):
        survey = read(tmp_path, observations=OBSERVATIONS.splitlines()[0] + "\n")
        assert (len(survey.records), len(survey.audit), len(survey.stations)) == (0, 0, 2)


class TestClocks:
    def test_one_offset_is_the_surveys_zone(self, tmp_path):
        survey = read(tmp_path)
        assert survey.tz == "UTC+10:00"
        assert survey.notes[3] == "clock: UTC+10:00"

    def test_mixed_offsets_are_each_cameras_own(self, tmp_path):
        text = changed(DEPLOYMENTS, 4, "+10:00", "+09:00")
        survey = read(tmp_path, deployments=text)
        assert survey.tz is None
        assert survey.deployments["start"].tolist() == [pd.Timestamp(f"2024-02-{d} 12:00") for d in ("01", "01", "02")]
        assert survey.records["timestamp"].tolist() == [
            pd.Timestamp("2024-02-03 21:00"),
            pd.Timestamp("2024-02-06 05:00"),
        ]
        assert survey.notes[3] == (
            "clock: of each camera, the offset in the file (+09:00 in 1 deployment, +10:00 in 2 deployments)"
        )

    def test_an_offset_that_changes_within_a_deployment(self, tmp_path):
        text = changed(DEPLOYMENTS, 4, "10T12:00:00+10:00", "10T12:00:00+11:00")
        with pytest.warns(DataWarning, match=r"line 4: the offset is \+10:00 at the start and \+11:00 at the end"):
            survey = read(tmp_path, deployments=text)
        assert survey.deployments["end"][2] == pd.Timestamp("2024-02-10 11:00:00+10:00")
        assert read(tmp_path, deployments=text, tz="Asia/Vladivostok").tz == "Asia/Vladivostok"

    @pytest.mark.parametrize("table, column", [("deployments", "deploymentStart"), ("observations", "eventStart")])
    def test_naive_times_need_a_zone(self, tmp_path, table, column):
        texts = {"deployments": DEPLOYMENTS, "observations": OBSERVATIONS}
        texts[table] = texts[table].replace("+10:00", "")
        found = f"{table}.csv line 2: {column} is '2024-02-0[13]T[0-9:]*', without an offset from UTC.*Say which clock"
        with pytest.raises(DataError, match=found):
            read(tmp_path, **texts)
        texts = {name: text.replace("+10:00", "") for name, text in texts.items()}
        survey = read(tmp_path, **texts, tz="UTC+10:00")
        assert survey.records["timestamp"].equals(read(tmp_path).records["timestamp"])

    def test_a_named_zone_across_the_change_of_clocks(self, tmp_path):
        """Madrid, 31 March 2024: two wall-clock days are 47 hours; the camera's own clock has 48."""
        rows = "deploymentID,locationID,latitude,longitude,deploymentStart,deploymentEnd\n"
        naive = rows + "d,A,40.0,-4.0,2024-03-30T12:00:00,2024-04-01T12:00:00\n"
        survey = read(tmp_path, deployments=naive, observations=OBSERVATIONS.splitlines()[0], tz="Europe/Madrid")
        assert (survey.deployments["end"] - survey.deployments["start"])[0] == pd.Timedelta("47h")
        own = naive.replace(":00,", ":00+01:00,").replace("12:00:00\n", "12:00:00+01:00\n")
        survey = read(tmp_path, deployments=own, observations=OBSERVATIONS.splitlines()[0])
        assert (survey.deployments["end"] - survey.deployments["start"])[0] == pd.Timedelta("48h")

    @pytest.mark.parametrize(
        "time", ["2024-02-30T12:00:00+10:00", "yesterday", "0001-01-01T00:00:00Z", "2024-02-03T12:00:00+99:00"]
    )
    def test_no_time(self, tmp_path, time):
        with pytest.raises(
            DataError, match=r"observations.csv line 2: eventStart is '.*', which is no time. Times are wr"
        ):
            read(tmp_path, observations=changed(OBSERVATIONS, 2, "2024-02-03T21:00:00+10:00", time))

    def test_missing_time(self, tmp_path):
        with pytest.raises(DataError, match=r"deployments.csv line 3: deploymentEnd is missing"):
            read(tmp_path, deployments=changed(DEPLOYMENTS, 3, "2024-02-11T12:00:00+10:00", "NA"))

    @pytest.mark.parametrize("end", ["2024-02-02T12:00:00+10:00", "2024-02-01T12:00:00+10:00"])
    def test_end_before_start(self, tmp_path, end):
        with pytest.raises(DataError, match=r"deployments.csv line 4: the deployment ends .* before it starts"):
            read(tmp_path, deployments=changed(DEPLOYMENTS, 4, "2024-02-10T12:00:00+10:00", end))

    @pytest.mark.parametrize("year", ["1970", "2000"])
    def test_a_clock_that_was_reset_is_read_and_listed(self, tmp_path, year):
        survey = read(tmp_path, observations=changed(OBSERVATIONS, 2, "2024-02-03T21:00:00", f"{year}-02-03T21:00:00"))
        assert survey.records["timestamp"].dt.year.tolist() == [int(year), 2024]
        assert survey.problems()["severity"].eq("must fix").any()

    def test_timestamp_issues_are_a_column(self, tmp_path):
        text = DEPLOYMENTS.replace("cameraID\n", "timestampIssues\n").replace(",c1", ",TRUE").replace(",c2", ",false")
        assert read(tmp_path, deployments=text.replace(",c3", ",")).deployments["timestamp_issues"].tolist() == [
            "true",
            "false",
            None,
        ]


class TestStations:
    def test_two_cameras_are_one_station(self, tmp_path):
        survey = read(tmp_path)
        assert survey.stations["station"].tolist() == ["A", "B"]
        assert survey.deployments["camera"].tolist() == ["c1", "c2", "c3"]

    def test_location_name_and_coordinates_take_the_place_of_location_id(self, tmp_path):
        named = changed(DEPLOYMENTS, 1, "locationID", "locationName")
        with pytest.warns(
            DataWarning, match=r"locationID is empty in 3 of 3 deployments .*line 2\): .* named by locationName"
        ):
            assert read(tmp_path, deployments=named).stations["station"].tolist() == ["A", "B"]
        nothing = changed(DEPLOYMENTS, 1, "locationID", "comment")
        with pytest.warns(DataWarning, match=r"named by coordinates"):
            survey = read(tmp_path, deployments=nothing)
        assert survey.stations["station"].tolist() == ["43.10000 131.30000", "43.20000 131.40000"]
        with pytest.warns(DataWarning, match=r"locationID is empty in 1 of 3 deployments"):
            survey = read(tmp_path, deployments=changed(DEPLOYMENTS, 4, ",B,", ",,"))
        assert survey.stations["station"].tolist() == ["A", "43.20000 131.40000"]

    def test_another_column(self, tmp_path):
        survey = read(tmp_path, station="cameraID")
        assert survey.stations["station"].tolist() == ["c1", "c2", "c3"]
        with pytest.raises(
            DataError, match=r"station='location': deployments.csv has no such column.*Did you mean 'loc"
        ):
            read(tmp_path, station="location")

    def test_a_station_in_two_places(self, tmp_path):
        with pytest.warns(DataWarning, match=r"Deployments of station 'A' lie .* m from their middle"):
            survey = read(tmp_path, deployments=changed(DEPLOYMENTS, 3, "43.10", "43.12"))
        assert survey.stations["latitude"][0] == pytest.approx(43.11)

    def test_the_projection_is_recorded_or_asked_for(self, tmp_path):
        assert read(tmp_path).crs == "EPSG:32652"
        assert read(tmp_path, crs=32653).crs == "EPSG:32653"

    @pytest.mark.parametrize(
        "column, value, message",
        [
            ("43.20", "131.4", "latitude is '131.4'. Decimal degrees between -90 and 90 are needed. Are latitude and"),
            ("43.20", "43°12'30\"N", "Write decimal degrees: 43.208333"),
            ("43.20", "43 12.5 S", "Write decimal degrees: -43.208333"),
            ("43.20", "", "latitude is missing"),
            ("131.40", "north", "longitude is 'north'. Decimal degrees between -180 and 180 are needed"),
            ("131.40", "688601", "Degrees are needed, not metres"),
        ],
    )
    def test_places_that_are_none(self, tmp_path, column, value, message):
        cell = '"' + value.replace('"', '""') + '"'
        with pytest.raises(DataError, match=r"deployments.csv line 4") as error:
            read(tmp_path, deployments=changed(DEPLOYMENTS, 4, column, cell))
        assert message in str(error.value)

    def test_decimal_commas(self, tmp_path):
        quoted = changed(DEPLOYMENTS, 4, "43.20,131.40", '"43,20","131,40"')
        pd.testing.assert_frame_equal(read(tmp_path, deployments=quoted).stations, read(tmp_path).stations)
        semicolons = DEPLOYMENTS.replace(",", ";").replace("43.20", "43,20").replace("131.30", "131,30")
        pd.testing.assert_frame_equal(read(tmp_path, deployments=semicolons).stations, read(tmp_path).stations)

    def test_names_twice_and_missing(self, tmp_path):
        with pytest.raises(DataError, match=r"line 3: deployment 'a1' is there already \(deployments.csv line 2\)"):
            read(tmp_path, deployments=changed(DEPLOYMENTS, 3, "a2", "a1"))
        with pytest.raises(DataError, match=r"deployments.csv line 3: deploymentID is missing"):
            read(tmp_path, deployments=changed(DEPLOYMENTS, 3, "a2", ""))
        with pytest.raises(DataError, match=r"deployments.csv has no rows"):
            read(tmp_path, deployments=DEPLOYMENTS.splitlines()[0])

    def test_columns_of_older_versions(self, tmp_path):
        with pytest.raises(DataError, match=r"no column 'deploymentStart', 'deploymentEnd'.*Is it Camtrap DP 0.1"):
            read(tmp_path, deployments=DEPLOYMENTS.replace("deploymentStart", "start").replace("deploymentEnd", "end"))
        with pytest.raises(DataError, match=r"observations.csv has no column 'eventStart'"):
            read(tmp_path, observations=OBSERVATIONS.replace("eventStart", "timestamp"))

    def test_covariates_are_what_is_the_same_in_all_deployments_of_a_station(self, tmp_path):
        text = DEPLOYMENTS.replace("cameraID\n", "habitat,deploymentGroups\n")
        for old, new in (
            (",c1", ",oak,session:1 | set:x"),
            (",c2", ",oak,session:1 | set:y"),
            (",c3", ",pine,session:2"),
        ):
            text = text.replace(old, new)
        stations = read(tmp_path, deployments=text).stations
        assert stations["habitat"].tolist() == ["oak", "pine"]
        assert stations["group_session"].tolist() == ["1", "2"]
        assert "set" not in stations


class TestFailures:
    def test_of_a_deployment_and_of_a_station(self, tmp_path):
        table = tmp_path / "broken.csv"
        table.write_text(
            "deployment,station,start,end,why\n"
            "a1,,2024-02-05T12:00:00+10:00,,dead\n"
            ",B,2024-02-03,2024-02-04 06:00,snow\n"
        )
        failures = read(tmp_path / "package", failures=table).failures
        assert failures["station"].tolist() == ["A", "B"]
        assert failures["end"].tolist() == [pd.Timestamp(f"2024-02-{t}+10:00") for t in ("11 12:00", "04 06:00")]
        assert failures["why"].tolist() == ["dead", "snow"]

    def test_names_of_the_format_and_times_in_memory(self, tmp_path):
        table = pd.DataFrame({"deploymentID": ["b1"], "start": [pd.Timestamp("2024-02-05")], "end": [None]})
        failures = read(tmp_path, failures=table).failures
        assert failures["start"].tolist() == [pd.Timestamp("2024-02-05 00:00+10:00")]
        assert failures["end"].tolist() == [pd.Timestamp("2024-02-10 12:00+10:00")]

    def test_effort_is_less(self, tmp_path):
        table = pd.DataFrame(
            {"station": ["B"], "start": ["2024-02-03T12:00:00+10:00"], "end": ["2024-02-04T00:00:00+10:00"]}
        )
        survey = read(tmp_path, failures=table)
        history = survey.capture_history(species="Panthera pardus", occasion="1D")
        assert history.effort["effort"].tolist() == [*[1.0] * 10, 0, 1, 0.5, 1, 1, 1, 1, 1, 1, 0]

    @pytest.mark.parametrize(
        "row, message",
        [
            ("a9,,2024-02-05,2024-02-06", "broken.csv line 2: unknown deployment 'a9'.*Did you mean 'a"),
            (",C,2024-02-05,2024-02-06", "broken.csv line 2: unknown station 'C'. Known: 'A', 'B'"),
            (",,2024-02-05,2024-02-06", "broken.csv line 2: neither a deployment nor a station is named"),
            ("a1,,2024-02-06,2024-02-05", "broken.csv line 2: the failure ends .* before it starts"),
            ("a1,,June,", "broken.csv line 2: start is 'June', which is no time"),
        ],
    )
    def test_refuses(self, tmp_path, row, message):
        table = tmp_path / "broken.csv"
        table.write_text(f"deployment,station,start,end\n{row}\n")
        with pytest.raises(DataError, match=message):
            read(tmp_path / "package", failures=table)

    def test_columns(self, tmp_path):
        with pytest.raises(DataError, match=r"Failures have start, end, and a deployment or a station"):
            read(tmp_path, failures=pd.DataFrame({"camera": ["c1"], "start": ["2024-02-05"], "end": ["2024-02-06"]}))
        twice = pd.DataFrame({"deploymentID": ["a1"], "deployment": ["a1"], "start": [None], "end": [None]})
        with pytest.raises(DataError, match=r"failures has two columns for 'deployment'"):
            read(tmp_path, failures=twice)


class TestProblemsThatAreRead:
    """A survey with faults is read, so that `problems` can list them."""

    def found(self, survey) -> str:
        return "\n".join(survey.problems().astype(str).agg(" ".join, axis=1))

    def test_overlapping_deployments_of_one_camera(self, tmp_path):
        survey = read(tmp_path, deployments=changed(DEPLOYMENTS, 3, "c2", "c1"))
        assert "a1" in self.found(survey)

    def test_records_outside_their_deployment(self, tmp_path):
        survey = read(tmp_path, observations=changed(OBSERVATIONS, 2, "2024-02-03T21", "2024-02-21T21"))
        assert "observations.csv" in self.found(survey)
        with pytest.raises(DataError, match=r"no camera was on .*observations.csv line 2"):
            survey.capture_history(species="Panthera pardus")

    def test_on_both_sides_of_the_date_line(self, tmp_path):
        text = changed(DEPLOYMENTS, 4, "43.20,131.40", "43.20,-179.90").replace("43.10,131.30", "43.10,179.90")
        survey = read(tmp_path, deployments=text)
        assert survey.crs == "EPSG:32660"
        gap = np.hypot(*survey.stations[["x", "y"]].diff().iloc[-1])
        assert gap == pytest.approx(np.hypot(16_250, 11_110), rel=0.005)  # 0.2° east at 43.15°, 0.1° north

    def test_failures_of_somebody_elses_making(self, tmp_path):
        about = descriptor()
        about["resources"].append({"name": "failures", "data": [{"camera": "c1", "comment": "wet"}]})
        with pytest.warns(DataWarning, match=r"The resource 'failures' .* it is not used"):
            survey = lp.read_camtrap_dp(write_package(tmp_path, description=about))
        assert survey.failures.empty
        about["resources"][-1]["data"] = [{"deploymentID": "a1", "start": "2024-02-05", "end": "2024-02-06"}]
        assert len(lp.read_camtrap_dp(write_package(tmp_path, description=about)).failures) == 1
