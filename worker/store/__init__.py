"""Where results are kept, by the digest of their content."""

from worker.store.artefact_store import Store, media_type_of

__all__ = ["Store", "media_type_of"]
