"""Dispatchers beyond an even split, one file each."""
