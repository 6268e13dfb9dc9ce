"""A local page that shows what the models compute for a text, and its server on 127.0.0.1."""
