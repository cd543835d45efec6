"""Answers and weights of the same respondents, in the order of their row keys."""

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.weights import row_order, weights_of


def by_row_key(answers, design):
    """Answers in the order of row keys, and their weights."""
    if not answers.index.is_unique or set(answers.index) != set(design.weights.index):
        raise EstimateError(f"answers ({len(answers)} rows) and design ({len(design.weights)} rows) must "
                            "hold the same row keys, each once: use design.subset for a part of them")
    answers = answers.iloc[row_order(answers)]
    return answers, weights_of(answers, design.weights)
