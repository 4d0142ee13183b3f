"""What a statistic is of, and what it says in plain words when the survey stands apart from its replicates."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CAPTURES", "SITES", "Statistic"]


@dataclass(frozen=True)
class Statistic:
    """One thing that is looked at."""

    name: str
    """Short, as in the table."""
    looks_at: str
    """What is compared, in words."""
    high: str
    """What it means where the survey has more than the model, and what to do."""
    low: str = ""
    """The same where it has less; none if only more speaks against the model."""

    @property
    def two_sided(self) -> bool:
        """Whether less than expected speaks against the model too."""
        return bool(self.low)


_IDENTITY = (
    "Look at the identities of animals that were detected once (a bad photograph becomes a new animal, and N doubles)"
)
_UNLIKE = (
    "animals differ more than the model says: let λ0 and σ differ by sex, or try lp.Mixture(2); first make sure that "
    "nobody photographed one animal at a bait"
)
_STATIONS = (
    "stations differ in more than effort and place: look at the effort of those that stand out (a failure that is not "
    "recorded, days taken for weeks), then give λ0 a covariate of stations, such as road or trail"
)
CAPTURES: dict[str, Statistic] = {
    "cells": Statistic(
        "animal x station, Freeman-Tukey",
        "detections of every animal at every station, given where it lives",
        f"Detections are placed otherwise than the detection function says; {_STATIONS}.",
    ),
    "deviance": Statistic(
        "animal x station, deviance",
        "the same, with more weight on large counts",
        "Too many detections of one animal at one station: a response to the first capture (bk), events that are not "
        'independent (independence=, counts="negbin"), or another detection function.',
    ),
    "animals": Statistic(
        "animal, Freeman-Tukey",
        "detections of every animal, given where it lives",
        f"Detections are spread unevenly over animals: {_UNLIKE}.",
    ),
    "most": Statistic(
        "most detections of one animal",
        "the animal with most detections",
        "One animal was detected more often than any animal of the model would be. Fit again without it: if N "
        "moves, say so; then look for bait, a den or a marking place at a station, or give λ0 a mixture.",
    ),
    "inside": Statistic(
        "singletons among stations",
        "detections expected of the animals detected once",
        "Animals detected once live where they should have been detected again. "
        f"{_IDENTITY}; if they stand, {_UNLIKE}.",
    ),
    "places": Statistic(
        "station, whatever lives there",
        "detections at every station, over all places where animals could live",
        f"Detections are spread unevenly over stations: {_STATIONS}. If the residuals lie together on the map, density "
        'follows something: density="~ covariate".',
    ),
    "stations": Statistic(
        "station, Freeman-Tukey",
        "detections at every station, given where the animals live",
        f"Detections are spread unevenly over stations: {_STATIONS}.",
    ),
    "occasions": Statistic(
        "occasion, Freeman-Tukey",
        "detections on every occasion, given where the animals live",
        "Detections come and go with time: look at effort by occasion (failures that are not recorded), then give λ0 "
        '"~ trend" or a covariate of occasions, or shorten the survey.',
    ),
    "trend": Statistic(
        "early or late detections",
        "mean time of detections within the session, from −0.5 to 0.5",
        'Detections come later than effort says: give λ0 "~ trend", and ask when animals or field workers learned the '
        "places.",
        "Detections fade with time: look for cameras that failed unnoticed, or lost power, in the second half; then "
        'give λ0 "~ trend", or a response to the first capture (bk).',
    ),
    "effort": Statistic(
        "effort at detections",
        "effort of station and occasion at detections, against the mean, less one",
        "Detections come from stations and occasions with more effort than expected: some effort may be written down "
        "too small (hours or cameras for days), or stations with little effort were poor ones.",
        "Detections come from stations and occasions with less effort than expected: some effort may be written down "
        "too large (days for weeks, a failure that is not recorded).",
    ),
    "distances": Statistic(
        "distance, Freeman-Tukey",
        "detections by distance from the centre",
        "Detections fall off with distance otherwise than the detection function says: try lp.Exponential or "
        "lp.HazardRate, and σ by sex.",
    ),
    "detected": Statistic(
        "animals detected",
        "number of different animals",
        "More animals were detected than the model expects: the prior on D or N holds density down.",
        "Fewer animals were detected than the model expects: the prior on D or N holds density up.",
    ),
    "recaptures": Statistic(
        "recaptures",
        "detections after the first of each animal",
        f"More recaptures than expected: {_UNLIKE}.",
        f"Fewer recaptures than expected. {_IDENTITY}.",
    ),
    "moves": Statistic(
        "spatial recaptures",
        "stations after the first of each animal",
        "Animals were at more stations than expected: look for animals that share a name, then let σ differ by sex.",
        "Animals were at fewer stations than expected: look for animals under two names, or a response to the first "
        "capture (bk).",
    ),
    "once": Statistic(
        "animals detected once",
        "number of singletons",
        f"More animals than expected were detected once. {_IDENTITY}; if they stand, {_UNLIKE}.",
        "Fewer animals than expected were detected once: singletons may have been left out of the data, or detections "
        "of one pass counted as several.",
    ),
    "frequencies": Statistic(
        "capture frequencies",
        "animals detected once, twice, three times ...",
        f"Some animals were detected often and many seldom, more than expected. {_IDENTITY}; if they stand, {_UNLIKE}.",
    ),
    "silent": Statistic(
        "stations without detections",
        "stations that worked and detected none of these animals",
        f"More stations than expected detected nothing: {_STATIONS}.",
        "Fewer stations than expected detected nothing: detections are spread more evenly than the model says; look "
        "for stations that were left out because they had none.",
    ),
    "zeros": Statistic(
        "zero cells",
        "station x occasion cells with effort and without a detection",
        "More cells than expected are empty: detections come in clusters of time or place. Look for failures that are "
        "not recorded.",
        "Fewer cells than expected are empty: detections are spread more evenly than the model says; look for effort "
        "that is missing.",
    ),
    "classes": Statistic(
        "animals detected by class",
        "detected animals of each class",
        "The classes among the detected animals are not what the model expects: let λ0 and σ differ by class, and ask "
        "whether the class is missing more often for one of them.",
    ),
    "sessions": Statistic(
        "animals detected by session",
        "detected animals of each session",
        'Sessions differ more than the model says: let density differ by session, density="~ session".',
    ),
}
_PATCHES = (
    "used sites differ in detection more than the model says: give p a covariate (effort, habitat), or use "
    "lp.RoyleNichols, in which it grows with abundance"
)
SITES: dict[str, Statistic] = {
    "histories": Statistic(
        "histories, MacKenzie-Bailey",
        "how often each history of a site and season occurred",
        "Histories occur in other numbers than expected (c-hat above 1): give p and psi the covariates that matter; "
        "what then remains makes intervals too narrow by the square root of c-hat.",
    ),
    "sites": Statistic(
        "site, Freeman-Tukey",
        "detections at every site, given its state",
        f"Detections are spread unevenly over sites: {_PATCHES}.",
    ),
    "visits": Statistic(
        "visit, Freeman-Tukey",
        "detections on every visit, given the states",
        'Detections come and go with time: give p "~ visit" or a covariate of visits, and look at effort.',
    ),
    "seen": Statistic(
        "sites seen",
        "sites and seasons at which the species was seen",
        "The species was seen at more sites than the model expects: it was seen too evenly over the sites for this p.",
        f"The species was seen at fewer sites than the model expects: {_PATCHES}.",
    ),
    "detections": Statistic(
        "detections",
        "visits on which the species was seen, or what they counted",
        "There are more detections than the model expects: a prior holds detection down.",
        "There are fewer detections than the model expects: a prior holds detection up.",
    ),
    "once": Statistic(
        "sites seen once",
        "sites and seasons at which the species was seen on one visit only",
        "More sites than expected were seen on one visit only: look for misidentified detections, or animals that only "
        "pass through; lp.FalsePositiveOccupancy allows for the first.",
        f"Fewer sites than expected were seen on one visit only: {_PATCHES}.",
    ),
    "most": Statistic(
        "most detections at one site",
        "the site with most detections",
        f"One site stands out: look at its records (a den, bait, one animal before one camera); {_PATCHES}.",
    ),
    "in_a_row": Statistic(
        "visits in a row",
        "visits with a detection after a visit with one",
        "Detections follow each other: visits are not independent, or the state changes within the season. Pool "
        "visits (occasion=) or shorten the season.",
        "Detections avoid each other: visits after a detection find less than others. Look for how visits were chosen.",
    ),
    "neighbours": Statistic(
        "neighbouring sites",
        "whether sites near each other have detections alike",
        "Sites near each other are more alike than the model says: give psi the covariate behind it, gp(x, y) or a "
        "random effect of blocks; until then intervals are too narrow.",
    ),
    "gained": Statistic(
        "sites gained",
        "sites seen in a season and not in the one before",
        "More sites than expected appear from one season to the next: let gamma or p differ by season.",
        "Fewer sites than expected appear from one season to the next: sites differ; give psi and gamma covariates.",
    ),
    "lost": Statistic(
        "sites lost",
        "sites seen in a season and not in the next",
        "More sites than expected vanish from one season to the next: let epsilon or p differ by season.",
        "Fewer sites than expected vanish from one season to the next: sites differ; give epsilon covariates.",
    ),
    "young": Statistic(
        "visits with young",
        "visits on which young were seen",
        "Young were seen on more visits than the model expects: let delta or breeding differ by a covariate.",
        "Young were seen on fewer visits than the model expects: let delta or breeding differ by a covariate.",
    ),
    "counts": Statistic(
        "counts, Freeman-Tukey",
        "the count of every visit, given the state of the site",
        "Counts vary more than the model says: give p or the rate covariates, or use abundance with a negative "
        "binomial law.",
    ),
    "largest": Statistic(
        "largest count",
        "the largest count of a visit",
        "One count is larger than the model would ever give: look at its record, then at events that are not "
        "independent (independence=).",
    ),
    "zeros": Statistic(
        "visits without a detection",
        "visits that counted nothing",
        "More visits than expected counted nothing: counts come in clusters.",
        "Fewer visits than expected counted nothing: counts are more even than the model says.",
    ),
}
