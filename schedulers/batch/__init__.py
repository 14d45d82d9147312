"""Batch policies of prompts."""
