"""The serving simulation: requests from arrival to last token, in event time."""
