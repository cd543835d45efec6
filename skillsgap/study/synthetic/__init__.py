"""Fictional countries whose truth is known: drawn from a spec, and kept beside what a study is given."""
