"""Means of two PIAAC countries by the package's verbs against the published formula in plain numpy.

The two whose replicates aren't the usual 80 of JK2; verification/piaac_means.py does all five.
"""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "verification"))

import piaac_means  # noqa: E402

DATA = piaac_means.data_folder()


@pytest.mark.parametrize(("country", "method", "count", "degf"), [("chl", "jk2", 17, 16), ("nzl", "jk1", 80, 79)])
def test_errors_follow_the_replicates_that_the_file_describes(country, method, count, degf):
    raw = None if DATA is None else piaac_means.read(DATA, country)
    if raw is None:
        pytest.skip(f"the OECD's PIAAC file of {country} is neither in SKILLSGAP_DATA nor in ../shared/data")
    names, how = piaac_means.replicates_of(raw)
    ours, theirs = piaac_means.by_the_package(raw), piaac_means.by_the_formula(raw)
    assert (how, len(names)) == (method, count) and set(ours["degf"]) == {degf}
    assert list(ours.index) == ["literacy", "numeracy", "problem solving"]
    assert piaac_means.largest_difference(ours, theirs) < piaac_means.CLOSE
