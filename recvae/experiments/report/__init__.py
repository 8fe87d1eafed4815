"""The report of a comparison: text, plots and one page."""
