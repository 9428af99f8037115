"""Secrets made at first start and kept beside the data, readable by the owner of the process alone."""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def keep(path: Path, fresh: bytes) -> bytes:
    """The secret in a file, which is made with `fresh` and mode 600 if there is none yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails where another process was first, whose secret then counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()


def cookie_secret(data_dir: Path) -> str:
    """The key that signs sign-in cookies; processes that share a data folder share it."""
    return keep(data_dir / "cookie.key", secrets.token_hex(32).encode()).decode()


class AuditKey:
    """The Ed25519 key that signs checkpoints of the audit chain."""

    def __init__(self, data_dir: Path) -> None:
        seed = keep(data_dir / "audit.key", secrets.token_bytes(32))
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: Ed25519PublicKey = self._key.public_key()

    def sign(self, message: bytes) -> str:
        """The signature, in hexadecimal."""
        return self._key.sign(message).hex()

    def verifies(self, message: bytes, signature: str) -> bool:
        """Whether the signature is this key's over the message."""
        try:
            self.public.verify(bytes.fromhex(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True
