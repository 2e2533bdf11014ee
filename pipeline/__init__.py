"""Sound in, sound and text out.

The package knows no chat service, no queue and no network but the model fetcher.
Importing it, or `types`, `errors`, `catalog` and `options`, loads no heavy library.
"""
