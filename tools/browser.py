"""The browser that takes screenshots and opens pages in tests."""

import shutil

# Path of Chromium or Google Chrome, or None.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
