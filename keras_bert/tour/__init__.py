"""The tour: all steps from raw text to a served model, and a report page."""
