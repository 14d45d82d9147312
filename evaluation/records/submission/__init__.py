"""Records and what they were made with in one file, to be shared and checked by others."""
