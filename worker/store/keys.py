"""Keys with which what lies in the store is encrypted, and small values that are encrypted with them."""

import asyncio
import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import obstore
from obstore.store import ObjectStore

from pipeline.errors import EncryptionKeyError

KEY_BYTES: Final = 32
"""AES-256."""
NONCE_BYTES: Final = 12
MAX_ID_CHARS: Final = 32
REQUEST_TIMEOUT_S: Final = 60.0
VALUE_MAGIC: Final = b"SCV1"
_ID: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_ID_CHARS}}}")
SETTING: Final = "STEMCORD_ENCRYPTION_KEYS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """Keys by their ids; the first one encrypts, all of them decrypt."""

    keys: Mapping[str, bytes] = field(repr=False)
    current: str
    """Id of the key that encrypts."""

    def key(self, key_id: str) -> bytes:
        """Return a key. Raises `EncryptionKeyError` when it is not here."""
        if key_id not in self.keys:
            raise EncryptionKeyError(
                f"Something is encrypted with the key {key_id}, which is not here.",
                hint=f"Add that key to {SETTING}, after the first one.",
            )
        return self.keys[key_id]

    def encrypt_value(self, value: bytes, about: bytes) -> bytes:
        """Encrypt a small value; `about`: where it belongs, so that it is not taken for another one."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key_id, nonce = self.current.encode(), os.urandom(NONCE_BYTES)
        sealed = AESGCM(self.key(self.current)).encrypt(nonce, value, about)
        return VALUE_MAGIC + bytes([len(key_id)]) + key_id + nonce + sealed

    def is_current(self, value: bytes) -> bool:
        """Tell whether a value is encrypted with the key that encrypts now."""
        key_id = self.current.encode()
        return value.startswith(VALUE_MAGIC + bytes([len(key_id)]) + key_id)

    def decrypt_value(self, value: bytes, about: bytes) -> bytes:
        """Decrypt what `encrypt_value` made. Raises `EncryptionKeyError`."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        start = len(VALUE_MAGIC) + 1
        end = start + (value[start - 1] if len(value) >= start else 0)
        if not value.startswith(VALUE_MAGIC):
            raise wrong_key("?")
        key_id = value[start:end].decode("ascii", "replace")
        try:
            nonce, sealed = value[end : end + NONCE_BYTES], value[end + NONCE_BYTES :]
            return AESGCM(self.key(key_id)).decrypt(nonce, sealed, about)
        except (InvalidTag, ValueError) as error:
            raise wrong_key(key_id) from error


def wrong_key(key_id: str) -> EncryptionKeyError:
    """Return the error for what a key does not decrypt."""
    return EncryptionKeyError(
        f"The key {key_id} does not decrypt what was encrypted with it, or that was changed.",
        hint=f"Compare the key {key_id} of {SETTING} in all processes.",
    )


async def require_keys(remote: ObjectStore, digest: str, keys: Keyring | None) -> None:
    """Raise `EncryptionKeyError` where a file is in a store, encrypted, and this process has no key at all."""
    if keys is not None:
        return
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            await obstore.head_async(remote, encrypted_path(digest))
    except FileNotFoundError:
        return
    raise no_keys()


def no_keys() -> EncryptionKeyError:
    """Return the error for what is encrypted where this process has no key at all."""
    return EncryptionKeyError(
        "The store is encrypted, and this process has no key.",
        hint=f"Set {SETTING} as in the process that wrote it.",
    )


def encrypted_path(digest: str) -> str:
    """Return where an encrypted file lies."""
    return f"encrypted/{digest[:2]}/{digest}"


def read_keyring(setting: str) -> Keyring | None:
    """Read the setting: `ID:BASE64` for each key, between commas or line breaks, or the path of a file of these.

    Args:
        setting: Its text; empty: nothing is encrypted.

    Raises:
        EncryptionKeyError: The file cannot be read, or a key is none.

    """
    text = setting.strip()
    if text.startswith(("/", "~")):
        try:
            text = Path(text).expanduser().read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise EncryptionKeyError(
                "The file of encryption keys cannot be read.", hint=f"Correct {SETTING}.", detail=type(error).__name__
            ) from error
        if not text:
            raise _no_key("The file of encryption keys is empty.")
    if not text:
        return None
    keys: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in re.split(r"[,\n]", text))):
        key_id, _, encoded = entry.partition(":")
        if _ID.fullmatch(key_id) is None or key_id in keys:
            raise _no_key("An encryption key has no id of letters and digits, or the id of another one.")
        keys[key_id] = _decode(key_id, encoded.strip())
    return Keyring(keys=keys, current=next(iter(keys)))


def _decode(key_id: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _no_key(f"The encryption key {key_id} is no base64.") from error
    if len(key) != KEY_BYTES:
        raise _no_key(f"The encryption key {key_id} has {len(key)} bytes; {KEY_BYTES} are needed.")
    return key


def _no_key(message: str) -> EncryptionKeyError:
    # The key itself is in no message.
    return EncryptionKeyError(message, hint=f"Make one with `openssl rand -base64 32` and write ID:KEY to {SETTING}.")
