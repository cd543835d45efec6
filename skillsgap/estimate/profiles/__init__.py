"""Competency profiles: how many, what they are like, and how sure we are."""
