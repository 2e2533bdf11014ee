"""Where a results page takes its files from."""
