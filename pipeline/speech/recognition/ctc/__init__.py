"""PaddleSpeech's CTC networks."""
