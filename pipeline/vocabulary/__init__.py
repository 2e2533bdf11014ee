"""Words of texts in any language, as a search and a comparison of topics see them."""
