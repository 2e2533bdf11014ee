"""Tools that make one file out of a clip: a stretch, another size, a still, a loop, captions in the picture."""
