"""The report of a comparison: plots, files and one page."""
