"""Access tokens taken apart and forged."""

import base64
import hashlib
import hmac
import json


def encode(data):
    data = data if isinstance(data, bytes) else data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def claims_of(token):
    return json.loads(decode(token.split(".")[1]))


def sign(header, payload, secret):
    """header and payload are dicts, or texts as they shall be."""
    texts = [
        p if isinstance(p, str) else json.dumps(p, separators=(",", ":")) for p in (header, payload)
    ]
    signed = ".".join(encode(text) for text in texts)
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encode(mac)}"


def secret_files(server):
    """What the server keeps beside its database."""
    return [
        path
        for path in server.data.iterdir()
        if path.is_file()
        and ".db" not in path.name
        and "sqlite" not in path.name
        and path.suffix not in {".lock", ".pid"}
    ]


def secret_of(server):
    if not hasattr(server, "data"):
        return server.secret()  # of a cluster
    (path,) = secret_files(server)
    return path.read_bytes().rstrip(b"\n")
