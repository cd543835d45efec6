"""What comes in: one params file, its tables, and what is wrong with them."""
