"""Figures of the committed notebooks: the digest of the table behind each, and a picture that isn't blank.

nbval skips images, so what they show is held here. After an intended change:
``.venv/bin/python tests/test_figures.py`` writes the digests anew.
"""

import hashlib
import json
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from skillsgap.publish import figures, plan_figures, plan_section
from skillsgap.publish.profiles import share_figure
from skillsgap.publish.quality import coverage_figure, coverage_table, quality_figure
from skillsgap.run.release import Published

DIGESTS = Path(__file__).with_name("figures.json")
FIGURES = {
    "gap": (figures.gap_figure, lambda unit, report: report.gap_table()),
    "needs": (figures.needs_figure, lambda unit, report: report.needs_table()),
    "profiles": (figures.profile_figure, lambda unit, report: report.profile_table()),
    "shares": (share_figure, lambda unit, report: report.share_table()),
    "frontier": (figures.frontier_figure, lambda unit, report: report.frontier_table()),
    "plan tiers": (plan_figures.tier_figure, lambda unit, report: plan_section.tier_table(report.tables, report.words)),
    "plan prices": (plan_figures.price_figure,
                    lambda unit, report: plan_section.price_table(report.tables, report.words)),
    "plan kept": (plan_figures.kept_figure, lambda unit, report: plan_section.kept_table(report.tables, report.words)),
    "quality": (quality_figure, lambda unit, report: unit.table("quality")),
    "coverage": (coverage_figure, lambda unit, report: coverage_table(unit.table("quality"), words=report.words)),
}


def table_digest(table):
    """Digest of a figure's finished table, to the decimals it is drawn with."""
    return hashlib.sha256(table.round(2).to_csv(index=False, lineterminator="\n").encode()).hexdigest()


@pytest.fixture(scope="module")
def report(arvenia):
    return Published(arvenia).report("en")


@pytest.mark.parametrize("name", FIGURES)
def test_table_behind_the_figure_is_the_committed_one(arvenia, report, name):
    table = FIGURES[name][1](arvenia, report)
    assert table_digest(table) == json.loads(DIGESTS.read_text())[name], table.to_string()


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("width", [660, 350])
def test_picture_is_not_blank(arvenia, report, name, width):
    import matplotlib.image
    import matplotlib.pyplot as plt

    draw, table = FIGURES[name]
    ax = partial(draw, table(arvenia, report), words=report.words)(width=width)
    picture = BytesIO()
    ax.figure.savefig(picture, format="png", bbox_inches="tight")
    plt.close(ax.figure)
    picture.seek(0)
    pixels = matplotlib.image.imread(picture)[..., :3].reshape(-1, 3)
    colours, counts = np.unique((pixels * 255).round().astype(int), axis=0, return_counts=True)
    assert len(colours) > 20, "a figure has text, marks and a background"
    assert counts.max() / counts.sum() < 0.99, "almost all of the picture is one colour"


if __name__ == "__main__":
    from skillsgap.run.unit import open_unit

    made = open_unit("arvenia")
    shown = Published(made).report("en")
    digests = {name: table_digest(table(made, shown)) for name, (_, table) in FIGURES.items()}
    DIGESTS.write_text(json.dumps(digests, indent=1) + "\n")
