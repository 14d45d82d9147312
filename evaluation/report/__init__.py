"""Records as a static site that opens from a folder, without a server or network."""
