"""Replay, timing, records and the leaderboard; the command line is ``podlab``."""
