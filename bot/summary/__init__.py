"""Summaries of transcripts by a language model of the operator's choice; off unless an address is set."""
