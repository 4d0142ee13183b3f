"""From a Camtrap DP package to the number of sites where leopards breed.

The package is the bundled, synthetic survey, written here; give your own (folder, datapackage.json or zip) instead:
``python camtrap_dp_to_occupancy.py export.zip``.
"""

import sys
import tempfile

import leopardpop as lp

SPECIES = "Panthera pardus"

if __name__ == "__main__":
    package = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()
    if len(sys.argv) == 1:
        lp.load_example("amur_leopard", seed=1).to_camtrap_dp(package)

    survey = lp.read_camtrap_dp(package)
    print(survey)
    print(survey.problems()[["severity", "found", "fix"]].to_string(index=False))  # what to fix before any model

    visits = survey.detection_history(
        species=SPECIES,
        start="2024-02-01",
        end="2024-05-02",
        occasion="14D",
        response="state",  # 0 not seen, 1 seen, 2 seen with cubs
    )
    print(visits)
    fit = lp.MultistateOccupancy(p1="~ effort", p2="~ effort").fit(visits, seed=1)
    print(fit)  # a site with cubs is not a female with cubs, and more is said there
    print(fit.occupancy().summary()[["median", "eti95_lb", "eti95_ub", "unit"]].round(2))
