"""DeepFilterNet 3, through its C library."""
