"""Placements in files: one module for each format; ``formats.FORMATS`` lists them."""
