"""The form a country fields: what is asked, as an XLSForm workbook, and how its exported answers are read back."""
