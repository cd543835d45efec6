"""Whether answers can carry competency profiles at all."""

from skillsgap.estimate.survey.weights import as_table, kish, weights_of

FEWEST = 50  # respondents: below it a share of 20 % is known to 11 points either way, and profiles are a drawing
HEAVIEST = 0.5  # share of the weight one respondent may hold: beyond it the answers are that person's


def profile_problems(answers, weights, n_profiles):
    """Say what stands against forming profiles: one line each, with what, how many and what to do.

    Parameters
    ----------
    answers : DataFrame (n_respondents, n_variables), NaN = missing
    weights : Series with the same index, ndarray (n_respondents,), or None
    n_profiles : int, the largest number asked for

    Returns
    -------
    list of str, empty where nothing does; of one profile nothing is asked, which tells nobody apart

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame({"a": [0, 1] * 30, "b": [1, 1] * 30})
    >>> for line in profile_problems(answers, None, 3):
    ...     print(line)
    b: all 60 answers are the same (1), which tells no profiles apart: leave b out of profiles.variables
    3 profiles, but the answers show 2 different patterns only: ask for at most 2
    """
    if n_profiles < 2:
        return []
    table = as_table(answers)
    weights = weights_of(table, weights)
    used = (weights > 0) & table.notna().any(axis=1).to_numpy()
    table, weights, found = table[used], weights[used], []
    for name in table:
        given = table[name].dropna()
        if given.empty:
            found.append(f"{name}: none of {len(table)} respondents answered it: leave {name} out of "
                         "profiles.variables")
        elif given.nunique() == 1:
            same = f"{given.iloc[0]:g}" if isinstance(given.iloc[0], float) else given.iloc[0]
            found.append(f"{name}: all {len(given)} answers are the same ({same}), which tells no profiles apart: "
                         f"leave {name} out of profiles.variables")
    patterns = len(table.drop_duplicates())
    if patterns < n_profiles:
        found.append(f"{n_profiles} profiles, but the answers show {patterns} different patterns only: ask for at most "
                     f"{patterns}")
    if len(table) and weights.max() > HEAVIEST * weights.sum():
        found.append(f"one of {len(table)} respondents holds {weights.max() / weights.sum():.0%} of the weight "
                     f"(effective number {kish(weights):.1f}): correct or trim the weights")
    if len(table) < FEWEST:
        found.append(f"{len(table)} respondents with an answer and a weight above 0; profiles need {FEWEST} or more: "
                     "collect more answers, or set profiles.candidates to [1] for levels without profiles")
    return found
