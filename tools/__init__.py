"""Programs that build what the repository ships."""
