"""How it runs: the stages one by one, the store that keeps them, and the batch over all units."""
