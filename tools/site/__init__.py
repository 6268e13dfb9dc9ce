"""The documentation site: the book, the API reference and the pages of docs/, built by Sphinx."""
