"""Fields of Camtrap DP 1.0: their names, what a cell may hold, and what we call them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from leopardpop.data.covariates import MISSING_WORDS

__all__ = ["DEPLOYMENTS", "MEDIA", "OBSERVATIONS", "Field", "cell", "ours"]

Kind = Literal["text", "integer", "number", "boolean", "time"]


@dataclass(frozen=True)
class Field:
    """A field of a table."""

    kind: Kind = "text"
    least: float = -np.inf
    most: float = np.inf
    words: tuple[str, ...] = ()
    """The only values, if there are such."""


LENGTH = Field("number", 0)
FEATURES = (
    *("roadPaved", "roadDirt", "trailHiking", "trailGame", "roadUnderpass", "roadOverpass", "roadBridge", "culvert"),
    *("burrow", "nestSite", "carcass", "waterSource", "fruitingTree"),
)
SHARE = Field("number", 0, 1)
DEPLOYMENTS = {
    "deploymentID": Field(),
    "locationID": Field(),
    "locationName": Field(),
    "latitude": Field("number", -90, 90),
    "longitude": Field("number", -180, 180),
    "coordinateUncertainty": Field("integer", 1),
    "deploymentStart": Field("time"),
    "deploymentEnd": Field("time"),
    "setupBy": Field(),
    "cameraID": Field(),
    "cameraModel": Field(),
    "cameraDelay": Field("integer", 0),
    "cameraHeight": LENGTH,
    "cameraDepth": LENGTH,
    "cameraTilt": Field("integer", -90, 90),
    "cameraHeading": Field("integer", 0, 360),
    "detectionDistance": LENGTH,
    "timestampIssues": Field("boolean"),
    "baitUse": Field("boolean"),
    "featureType": Field(words=FEATURES),
    "habitat": Field(),
    "deploymentGroups": Field(),
    "deploymentTags": Field(),
    "deploymentComments": Field(),
}
MEDIA = {
    "mediaID": Field(),
    "deploymentID": Field(),
    "captureMethod": Field(words=("activityDetection", "timeLapse")),
    "timestamp": Field("time"),
    "filePath": Field(),
    "filePublic": Field("boolean"),
    "fileName": Field(),
    "fileMediatype": Field(),
    "exifData": Field(),
    "favorite": Field("boolean"),
    "mediaComments": Field(),
}
OBSERVATIONS = {
    "observationID": Field(),
    "deploymentID": Field(),
    "mediaID": Field(),
    "eventID": Field(),
    "eventStart": Field("time"),
    "eventEnd": Field("time"),
    "observationLevel": Field(words=("media", "event")),
    "observationType": Field(words=("animal", "human", "vehicle", "blank", "unknown", "unclassified")),
    "cameraSetupType": Field(words=("setup", "calibration")),
    "scientificName": Field(),
    "count": Field("integer", 1),
    "lifeStage": Field(words=("adult", "subadult", "juvenile")),
    "sex": Field(words=("female", "male")),
    "behavior": Field(),
    "individualID": Field(),
    "individualPositionRadius": LENGTH,
    "individualPositionAngle": Field("number", -90, 90),
    "individualSpeed": LENGTH,
    "bboxX": SHARE,
    "bboxY": SHARE,
    "bboxWidth": SHARE,
    "bboxHeight": SHARE,
    "classificationMethod": Field(words=("human", "machine")),
    "classifiedBy": Field(),
    "classificationTimestamp": Field("time"),
    "classificationProbability": SHARE,
    "observationTags": Field(),
    "observationComments": Field(),
}
TRUE, FALSE = {"true", "1", "yes"}, {"false", "0", "no"}


def ours(name: str) -> str:
    """Write the name of a field as our columns are.

    Examples
    --------
    >>> ours("timestampIssues"), ours("locationID"), ours("habitat")
    ('timestamp_issues', 'location_id', 'habitat')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(name)).lower()


def cell(value: Any, field: Field) -> str | None:
    """Write a value as a field holds it; None if it cannot.

    Examples
    --------
    >>> cell(2.0, Field("integer", 1)), cell(0.5, Field("number", 0, 1)), cell(True, Field("boolean"))
    ('2', '0.5', 'true')
    >>> cell("cub", Field(words=("adult", "juvenile"))) is None
    True
    """
    if value is None or value is pd.NaT or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return ""
    word = str(value)
    if field.kind in ("integer", "number"):
        return _number(word, field)
    if field.kind == "boolean":
        low = word.lower().removesuffix(".0")
        return "true" if low in TRUE else "false" if low in FALSE else None
    if word != word.strip() or word in MISSING_WORDS:  # a reader would take it for another, or for nothing
        return None
    return word if not field.words or word in field.words else None


def _number(word: str, field: Field) -> str | None:
    try:
        number = float(word)
    except ValueError:
        return None
    if not field.least <= number <= field.most or (field.kind == "integer" and not number.is_integer()):
        return None
    return str(int(number)) if number.is_integer() else repr(number)
