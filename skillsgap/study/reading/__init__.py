"""Every kind of file and database as one table of text, batch by batch, with the line of each value."""
