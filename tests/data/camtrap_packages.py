"""Small Camtrap DPs for tests, written line by line."""

import json
from pathlib import Path

HOME = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.1/"
DEPLOYMENTS = """\
deploymentID,locationID,latitude,longitude,deploymentStart,deploymentEnd,cameraID
a1,A,43.10,131.30,2024-02-01T12:00:00+10:00,2024-02-11T12:00:00+10:00,c1
a2,A,43.10,131.30,2024-02-01T12:00:00+10:00,2024-02-11T12:00:00+10:00,c2
b1,B,43.20,131.40,2024-02-02T12:00:00+10:00,2024-02-10T12:00:00+10:00,c3
"""
COLUMNS = (
    "observationID,deploymentID,mediaID,eventID,eventStart,eventEnd,observationLevel,observationType,scientificName,"
    "count,lifeStage,sex,individualID,observationTags\n"
)
OBSERVATIONS = (
    COLUMNS
    + """\
o1,a1,,e1,2024-02-03T21:00:00+10:00,2024-02-03T21:00:30+10:00,event,animal,Panthera pardus,1,adult,female,F01,flank:left
o2,a1,m1,e1,2024-02-03T21:00:00+10:00,2024-02-03T11:00:00Z,media,animal,Panthera pardus,1,adult,female,F01,flank:left
o3,a1,m2,e9,2024-02-04T21:00:00+10:00,2024-02-04T21:00:00+10:00,media,animal,Panthera pardus,1,,,,
o4,b1,,e2,2024-02-05T20:00:00Z,2024-02-05T20:00:10Z,event,animal,Panthera pardus,,juvenile,,,flank:left | flank:right
o5,b1,,e3,2024-02-06T21:00:00+10:00,2024-02-06T21:00:00+10:00,event,blank,,,,,,
o6,b1,,e4,2024-02-07T21:00:00+10:00,2024-02-07T21:00:00+10:00,event,human,Homo sapiens,2,,,,
"""
)
MEDIA = "mediaID,deploymentID,captureMethod,timestamp,filePath,filePublic,fileMediatype\n"


def resource(name: str, **more) -> dict:
    standard = {"name": name, "path": f"{name}.csv", "profile": "tabular-data-resource"}
    return standard | {"schema": f"{HOME}{name}-table-schema.json"} | more


def descriptor(**more) -> dict:
    resources = [resource(name) for name in ("deployments", "media", "observations")]
    return {"profile": f"{HOME}camtrap-dp-profile.json", "resources": resources} | more


def write_package(
    folder: Path,
    deployments: str | bytes = DEPLOYMENTS,
    observations: str | bytes = OBSERVATIONS,
    media: str | bytes = MEDIA,
    description: dict | str | None = None,
) -> Path:
    """Write a package; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    about = descriptor() if description is None else description
    text = about if isinstance(about, str) else json.dumps(about)
    (folder / "datapackage.json").write_text(text, encoding="utf-8")
    for name, content in (("deployments", deployments), ("observations", observations), ("media", media)):
        (folder / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def changed(text: str, line: int, old: str, new: str) -> str:
    """Change a word on one line (from 1) of a table."""
    lines = text.splitlines(keepends=True)
    assert old in lines[line - 1], (old, lines[line - 1])
    lines[line - 1] = lines[line - 1].replace(old, new)
    return "".join(lines)
