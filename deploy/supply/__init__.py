"""What Stemcord consists of, and what is known against it: bill of materials and audit."""
