"""Taking a sound apart: one engine a file behind one small protocol, stems that add up to the original."""
