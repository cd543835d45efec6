"""Surveys: how people were drawn and weighted, and what is estimated with the errors that follow from it."""
