"""Classes of animals that nobody saw: a finite mixture."""

from __future__ import annotations

from dataclasses import dataclass

from leopardpop.errors import ModelError

__all__ = ["Mixture", "class_column"]

COLUMN = "h2"


@dataclass(frozen=True)
class Mixture:
    r"""Two latent classes of animals, such as bold and shy ones, whose members are not known.

    Formulas of the detection function name the class as ``h2``, a factor with the levels 1 and 2. The share of class 2
    in the population is ``pmix``. With :math:`p_{0c}` the chance of an animal of class c to be missed,

    .. math::
        \Pr(w \mid x) = \sum_c \pi_c \Pr(w \mid x, c), \qquad
        \Lambda = \sum_x D(x)\,a(x)\,\Bigl\{1 - \sum_c \pi_c\,p_{0c}(x)\Bigr\}.

    The classes could change their names without any change of the likelihood, so that they are put in order: class 2 is
    the one with the greater λ0 (or g0) at the reference; where only another parameter differs between them, the greater
    value of that one. In a posterior the coefficient ``lambda0[h2[2]]`` is positive, with a half-normal prior.

    Parameters
    ----------
    n
        Number of classes: 2.

    Raises
    ------
    ModelError
        For another number.

    References
    ----------
    Pledger S (2000) Unified maximum likelihood estimates for closed capture-recapture models using mixtures.
    Biometrics 56, 434-442. doi:10.1111/j.0006-341X.2000.00434.x

    Examples
    --------
    >>> import leopardpop as lp
    >>> model = lp.SCR(detection=lp.HalfNormal(lambda0="~ h2"), classes=lp.Mixture(2))
    >>> model.classes
    Mixture(n=2)
    """

    n: int = 2

    def __post_init__(self) -> None:
        """Check the number."""
        if isinstance(self.n, bool) or self.n != 2:
            raise ModelError(
                f"Mixture({self.n!r}): there are mixtures of two classes, lp.Mixture(2); the data of a survey hardly "
                "ever tell more apart."
            )

    @property
    def levels(self) -> tuple[str, ...]:
        """Labels of the classes."""
        return tuple(str(c + 1) for c in range(self.n))


def class_column(classes: str | Mixture | None) -> str | None:
    """Name of the factor that tells the classes apart; None without classes."""
    return COLUMN if isinstance(classes, Mixture) else classes
