"""Formats of placement files, one module each; ``formats.FORMATS`` lists them."""
