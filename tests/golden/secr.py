"""Fits by the R package secr, and the constants by which its log-likelihood differs from that of labelled animals."""

from leopardpop.checks.known.plain import PlainSession, PlainSurvey
from leopardpop.checks.known.secr import LOG_HA_PER_KM2, SecrFit
from leopardpop.checks.known.secr_fits import AT_FIXED_COEFFICIENTS, FITS, VARYING
from leopardpop.checks.known.surveys import load_survey
from tests.reference.scr import log_binomial_coefficients, log_multinomial

__all__ = ["AT_FIXED_COEFFICIENTS", "FITS", "LOG_HA_PER_KM2", "VARYING", "SecrFit", "constants", "load_survey"]


def constants(fit: SecrFit, survey: PlainSurvey) -> float:
    """What secr adds to the log-likelihood of labelled animals."""
    return sum(_constant(fit, session) for session in survey.sessions)


def _constant(fit: SecrFit, session: PlainSession) -> float:
    if fit.collapsed:
        return log_multinomial(session, collapsed=True) + log_binomial_coefficients(session)
    return log_multinomial(session)
