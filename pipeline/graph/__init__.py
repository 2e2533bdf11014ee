"""The graph of stages. Its branches: separation, speech, voices, speaker_stems, mix, compact and clip; the rest runs them."""
