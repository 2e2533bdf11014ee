"""Topics of a long recording, by what is said, pauses and changes of speaker; no model is needed."""
