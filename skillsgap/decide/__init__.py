"""decide: which training to buy with a budget, from counts of staff only."""
