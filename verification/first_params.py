"""How much of `skillsgap init` is right on real files, fact by fact, against what a person would declare.

Run by ``make verify DATA=folder``; the facts stand in tests/test_init.py, and so do the least shares asserted there.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from guess_score import score_guess  # noqa: E402
from test_init import DATA, FILES, TRUTH, written  # noqa: E402


def main():
    if DATA is None:
        print("first params: not run, the real files are neither in DATA nor in ../shared/data")
        return
    for unit, file in FILES.items():
        with tempfile.TemporaryDirectory() as folder:
            values, _ = written(Path(folder), unit, DATA / file, data=DATA)
        scored = score_guess(values["data"], TRUTH[unit])
        made, there, right = (scored["guess"] != "").sum(), (scored["truth"] != "").sum(), scored["right"].sum()
        print(f"{file}: {right} right of {made} guesses made, and of {there} facts there are")
        for row in scored[~scored["right"]].itertuples():
            print(f"  {row.fact}: guessed {row.guess or 'nothing'}, it is {row.truth or 'not to be declared'}")


if __name__ == "__main__":
    main()
