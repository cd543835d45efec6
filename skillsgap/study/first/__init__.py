"""A first params file: look at a user's files, guess what they are, and write the guesses with their reasons."""
