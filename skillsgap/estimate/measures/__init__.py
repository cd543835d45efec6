"""Measures: from answers to levels, how reliable and comparable they are, and what tests say of self-ratings."""
