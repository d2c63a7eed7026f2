"""Bearer tokens: signed, dated by the twin's clock, revocable all at once."""

import base64
import hashlib
import hmac
from uuid import uuid4

from airbyte_twin.clock import Clock
from airbyte_twin.documents import JsonObject, as_object, dump_json, parse_json


class Tokens:
    """Issues and checks JSON Web Tokens (HS256)."""

    def __init__(self, key: str, lifetime: int, clock: Clock) -> None:
        self._key = key.encode()
        self.lifetime = lifetime
        self._clock = clock
        self._generation = 0

    def issue(self, client_id: str) -> str:
        """A token that expires `lifetime` seconds from now."""
        return self.signed({"sub": client_id, "generation": self._generation})

    def signed(self, claims: JsonObject) -> str:
        """A token with further claims; without a generation no call takes it."""
        now = int(self._clock.now())
        dated: JsonObject = {**claims, "iat": now, "exp": now + self.lifetime, "jti": str(uuid4())}
        signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(dated)}"
        return f"{signed}.{self._signature(signed)}"

    def valid(self, token: str) -> bool:
        """Whether this twin issued the token and it has not expired."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(signed).encode(), signature.encode()):
            return False
        claims = _decoded(signed.partition(".")[2])
        ends = claims.get("exp")
        return isinstance(ends, int) and self._clock.now() < ends and claims.get("generation") == self._generation

    def end_all(self) -> None:
        """Revoke all tokens."""
        self._generation += 1

    def _signature(self, signed: str) -> str:
        digest = hmac.new(self._key, signed.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _encoded(document: JsonObject) -> str:
    return base64.urlsafe_b64encode(dump_json(document)).decode().rstrip("=")


def _decoded(text: str) -> JsonObject:
    try:
        return as_object(parse_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    except ValueError:
        return {}
