"""What the framework covers, and what its two forms can measure.

Run by ``make verify``. First each phrase of the workshop's sessions and of the Korean paper beside the
competencies or questions that answer to it. Then the reliability of each competency group and of single
competencies, by simulation: answers of arvenia's staff (synthetic) are drawn again and again with other seeds,
without the items that work otherwise in a language. `alpha` is what a survey would print; `true` is what only a
drawn country knows: the squared correlation, over respondents, of the mean answer with the mean true level of
ALL competencies of the group, so that the short form pays for those it leaves out. Errors are Monte Carlo: the
spread over seeds divided by the root of their number. QUICK=1 draws fewer.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from skillsgap.estimate.measures.scales import scale_statistics
from skillsgap.study.synthetic.answering import draw_responses
from skillsgap.study.synthetic.catalogue import read_shared
from skillsgap.study.synthetic.sample import draw_sample
from skillsgap.study.synthetic.spec import read_spec
from skillsgap.study.synthetic.staff import draw_staff

FRAMEWORK = Path(__file__).parents[1] / "data" / "framework"
SPEC = Path(__file__).parents[1] / "data" / "synthetic" / "arvenia" / "spec.yaml"
FORMS = {"long": ["both", "long"], "short": ["both"]}
SEEDS = 5 if os.environ.get("QUICK") else 40


def coverage():
    """A row a phrase: what of the framework answers to it."""
    named = pd.read_csv(FRAMEWORK / "competencies.csv").set_index("competency_id")["label_en"]
    asked = pd.read_csv(FRAMEWORK / "items.csv").set_index("item_id")["text_en"]
    rows = pd.read_csv(FRAMEWORK / "coverage.csv").drop_duplicates(["phrase", "id"])
    texts = rows["id"].map({**named, **asked})
    return texts.groupby(rows["phrase"], sort=False).agg("; ".join).rename("covered by").reset_index()


def survey(spec, tables, seed):
    """Answers of all respondents of one drawing, and their true levels."""
    streams = np.random.default_rng(seed).spawn(6)
    competencies = tables["competencies"]
    staff = draw_staff(spec, competencies[competencies["audience"] != "optional"], *streams[:3])
    sample = draw_sample(spec, staff, streams[3])
    responses = draw_responses(spec, tables, staff, sample, *streams[4:])
    answered = sample["answers"].to_numpy()
    levels = staff.levels.iloc[sample.index].reset_index(drop=True)
    return responses[answered].reset_index(drop=True), levels[answered].reset_index(drop=True)


def scales(items, competencies):
    """The scales of a form: each group, and each competency that has an item; name to items and competencies."""
    groups = competencies[competencies["audience"] != "optional"].groupby("group", sort=False)["competency_id"]
    return {group: (items[items["group"] == group], list(names)) for group, names in groups}


def measured(responses, levels, items, names):
    """Alpha of a scale, and squared correlation of its mean with the mean true level."""
    answers = responses[items["item_id"]].astype(float)
    score, true = answers.mean(axis=1), levels[names].mean(axis=1)
    return scale_statistics(answers).at[0, "estimate"], score.corr(true) ** 2


def main():
    """Print the coverage, then a row a group and form, and what single competencies reach."""
    print(coverage().to_string(index=False, justify="left", max_colwidth=110), "\n")
    spec = {**read_spec(SPEC), "dif": {}}
    tables = read_shared(spec)
    anchored = tables["items"][tables["items"]["type"] == "anchored"]
    rows = []
    for seed in range(SEEDS):
        responses, levels = survey(spec, tables, seed)
        for form, kinds in FORMS.items():
            items = anchored[anchored["form"].isin(kinds)]
            for group, (own, names) in scales(items, tables["competencies"]).items():
                if len(own):
                    alpha, true = measured(responses, levels, own, names)
                    rows.append((form, group, len(own), alpha, true))
            for number, own in items.groupby(items.groupby("competency_id")["item_id"].transform("size")):
                each = [measured(responses, levels, one, [name]) for name, one in own.groupby("competency_id")]
                alpha, true = np.mean(each, axis=0)
                rows.append((form, f"one competency, {number} item{'s' * (number > 1)}", number, alpha, true))
    table = pd.DataFrame(rows, columns=["form", "scale", "n_items", "alpha", "true"])
    found = table.groupby(["form", "scale", "n_items"], sort=False)[["alpha", "true"]].agg(["mean", "sem"])
    found.columns = ["alpha", "alpha_mc", "true", "true_mc"]
    print(f"expected reliability of the forms: {SEEDS} drawings of {spec['n_invited']:,} invited (synthetic), "
          f"items of reliability {spec['item_reliability']:g} before rounding")  # fmt: skip
    print(found.round(3).reset_index().to_string(index=False))
    low = found.loc["long"].drop(index=[name for name, _ in found.loc["long"].index if " " in name], level=0)
    print(f"groups of the long form: alpha from {low['alpha'].min():.2f} to {low['alpha'].max():.2f}")


if __name__ == "__main__":
    main()
