"""Forecasters, one file each: past windows in, the load of the next window out."""
