"""What the directed comparisons look at, and what they say in plain words."""

from __future__ import annotations

from leopardpop.checks.statistic import Statistic

__all__ = ["DIRECTED"]

DIRECTED: dict[str, Statistic] = {
    "ghosts": Statistic(
        "directed: ghosts",
        "singletons where detections are many, against a model in which detections become new animals",
        "There are more singletons than animals can explain, and where cameras see most: compare the photographs of "
        "animals that were detected once with all others (a bad photograph becomes a new animal, and N grows); then "
        "fit lp.SCR(ghosts=True).",
    ),
    "unlike": Statistic(
        "directed: animals unlike (h2)",
        "the score of the variance of log λ0 between animals",
        "Some animals are detected more easily than others: let λ0 and σ differ by sex, or try lp.Mixture(2); N is too "
        "small otherwise.",
    ),
    "response": Statistic(
        "directed: response to capture (bk)",
        "detections of an animal at a station after the first one there, against those expected",
        'Animals come back to the station where they were detected: give λ0 "~ bk", and ask about bait, scent or '
        "paths; N is too small otherwise.",
        'Animals avoid the station where they were detected: give λ0 "~ bk", and ask about flash and disturbance; N is '
        "too large otherwise.",
    ),
    "gradient": Statistic(
        "directed: gradient of density",
        "the scores of x and y in log D",
        'Density changes across the area: give it the covariate behind that, or density="~ x + y".',
    ),
    "sex_sigma": Statistic(
        "directed: sex in σ",
        "the score of a difference between the sexes in σ",
        'The sexes move differently: classes="sex" and sigma="~ sex".',
        'The sexes move differently: classes="sex" and sigma="~ sex".',
    ),
    "sex_baseline": Statistic(
        "directed: sex in detection",
        "the score of a difference between the sexes in λ0 or g0",
        'The sexes are not equally easy to detect: classes="sex", and λ0 (or g0) "~ sex".',
        'The sexes are not equally easy to detect: classes="sex", and λ0 (or g0) "~ sex".',
    ),
    "bursts": Statistic(
        "directed: overdispersion of counts",
        "the score of the variance of counts beyond the Poisson law",
        'Photographs come in bursts: raise independence=, fit counts="negbin", or use detector="proximity".',
    ),
}
"""In the order of the table."""
