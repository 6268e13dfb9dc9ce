"""The main path as one run: raw text to a served model, and the page that shows it."""
