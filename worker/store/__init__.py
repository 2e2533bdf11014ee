"""Where results are kept, by the digest of their content, and where temporary files lie."""

from worker.store.artefact_store import Store
from worker.store.keys import Keyring, read_keyring
from worker.store.media_types import media_type_of
from worker.store.private_home import keep_files_private
from worker.store.scratch import remove_abandoned, scratch_for, scratch_root, temporary_files_in

__all__ = [
    "Keyring",
    "Store",
    "keep_files_private",
    "media_type_of",
    "read_keyring",
    "remove_abandoned",
    "scratch_for",
    "scratch_root",
    "temporary_files_in",
]
