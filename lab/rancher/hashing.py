"""Salted hashes of tokens and passwords, in Rancher's formats."""

import base64
import hashlib
import hmac
import secrets

_SALT_BYTES = 8
_SHA3 = "$3:1"
_SCRYPT_COST = 2**14


def hash_key(key: str) -> str:
    """Return the hash of a token's key: SHA3-512 over salt and key, enough for 54 random characters."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"{_SHA3}:{_encode(salt)}:{_encode(_sha3(salt, key))}"


def is_key(key: str, hashed: str) -> bool:
    """Return whether `hashed` is the hash of `key`, in constant time."""
    prefix, salt, digest = hashed.rsplit(":", 2)
    return prefix == _SHA3 and hmac.compare_digest(_sha3(_decode(salt), key), _decode(digest))


def hash_password(password: str) -> str:
    """Return the hash of a password by a slow function, because passwords can be guessed."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"{_encode(salt)}:{_encode(_scrypt(salt, password))}"


def is_password(password: str, hashed: str) -> bool:
    """Return whether `hashed` is the hash of `password`."""
    salt, digest = hashed.split(":")
    return hmac.compare_digest(_scrypt(_decode(salt), password), _decode(digest))


def _sha3(salt: bytes, key: str) -> bytes:
    return hashlib.sha3_512(salt + key.encode()).digest()


def _scrypt(salt: bytes, password: str) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_SCRYPT_COST, r=8, p=1)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text)
