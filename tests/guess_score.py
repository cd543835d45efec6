"""How much of a first params file was guessed right."""

import pandas as pd

COMPARED = ("columns", "missing_codes", "population", "wave", "long", "replicate_weights", "replicates",
            "plausible_values", "skip", "numbers", "dates", "encoding", "delimiter")  # fmt: skip


def score_guess(guessed, truth):
    """Compare guesses with what a person would declare, fact by fact.

    Parameters
    ----------
    guessed, truth : dict
        The `data` of a params file: table to its declaration. Of `truth`, only what it says is held against the
        guess, and tables that it doesn't name are left out.

    Returns
    -------
    DataFrame
        fact, guess, truth, and right: True, or False for a wrong, a lacking (guess "") and an extra one (truth "").
        Right of made is right over the rows with a guess, of those there over the rows with a truth.

    Examples
    --------
    >>> made = {"register": {"columns": {"sex": "Gender", "grade": "Step"}}}
    >>> score_guess(made, {"register": {"columns": {"sex": "Gender", "role_id": "Job"}}})["right"].tolist()
    [False, False, True, True]
    """
    made = {fact: value for fact, value in _facts(guessed).items() if fact.split(".")[0] in truth}
    known = _facts(truth)
    rows = [(fact, made.get(fact, ""), known.get(fact, "")) for fact in sorted({*made, *known})]
    table = pd.DataFrame(rows, columns=["fact", "guess", "truth"])
    return table.assign(right=table["guess"] == table["truth"])


def _facts(data):
    facts = {}
    for table, spec in data.items():
        facts[f"{table}.table"] = table
        if table == "items":
            rows = spec.get("rows", ())
            facts |= {f"items.{row['item_id']}": f"{row['n_categories']} from {row.get('lowest', 0)}" for row in rows}
        for key in set(spec) & set(COMPARED):
            facts |= _flat(f"{table}.{key}", spec[key])
    return facts


def _flat(name, value):
    if name.endswith("plausible_values"):  # what a score is called is a matter of taste
        return {f"{name}.{span['prefix']}": str(span["count"]) for span in value.values()}
    if name.endswith("replicate_weights"):
        return {name: f"{value['prefix']}{value['from']} to {value['to']}"}
    if ".skip." in name and "when" in value:  # one declaration, one fact
        asked = [f"{fact.split('.')[1]} {codes}" for fact, codes in _flat("", value["when"]).items()]
        return {name: f"{value['value']} when {', '.join(asked)}"}
    if isinstance(value, dict):
        return {fact: text for key, inner in value.items() for fact, text in _flat(f"{name}.{key}", inner).items()}
    return {name: ", ".join(sorted(map(str, value))) if isinstance(value, list) else str(value)}
