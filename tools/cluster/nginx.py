#!/usr/bin/env python3
"""Fills in deploy/nginx/parley.conf.in: Nginx in front of a cluster's chat, user and media nodes.
And deploy/nginx/cdn.conf.in: the edge in front of the storage of files (its secret is that of the
setting cdn-secret, and is read from PARLEY_CDN_SECRET).

    nginx.py --listen 80 --chat 10.0.0.1:8080,10.0.0.2:8080 --user 10.0.0.3:8080 >parley.conf
    nginx -t -c "$PWD/parley.conf"
    nginx.py --cdn --listen 81 --storage http://10.0.0.9:9000 --purge-listen 10.0.0.4:82 >cdn.conf

./cluster renders its own with the same functions.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

TEMPLATES = Path(__file__).resolve().parents[2] / "deploy/nginx"

# A handshake's own headers: what is set at a location replaces what stands above it.
SOCKET = """\
            auth_request /parley-alive;
            proxy_pass http://parley_chat;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $parley_connection;
            # The node pings a quiet socket each heartbeat-ms (25 s); longer than two of these.
            proxy_read_timeout 90s;
            proxy_send_timeout 90s;
            # A node that is full or drains says 503 before it upgrades: the next one is asked.
            proxy_next_upstream error timeout http_503;"""

PROBLEMS = [
    (400, "Bad Request", "bad_request", "The request is not well formed HTTP."),
    (404, "Not Found", "not_found", "There is nothing here."),
    (413, "Content Too Large", "payload_too_large", "The body is too long."),
    (414, "URI Too Long", "headers_too_large", "The request line is too long."),
    (431, "Request Header Fields Too Large", "headers_too_large", "The request line and headers are too long."),
    (503, "Service Unavailable", "unavailable", "No node answers; try again soon."),
]


def problem_location(status, title, code, detail):
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    lines = [
        f"        location = /parley-problem-{status} {{",
        "            internal;",
        "            default_type application/problem+json;",
        "            add_header Cache-Control no-store always;",
        "            add_header Retry-After 1 always;" if status == 503 else "",
        f"            return {status} '{json.dumps(body)}';",
        "        }",
    ]
    return "\n".join(line for line in lines if line)


def servers(addresses, more=""):
    return "\n".join(f"        server {each} max_fails=1 fail_timeout=2s{more};" for each in addresses)


def fill(name, values):
    text = (TEMPLATES / name).read_text()
    for word, value in values.items():
        text = text.replace(f"@{word}@", str(value))
    return text


def render(
    listen,
    chat,
    user,
    *,
    media=(),
    prefix="/var/lib/nginx",
    sticky=True,
    workers="auto",
    connections=16_384,
    open_files=65_536,
    shutdown_timeout="30s",
    error_log="/var/log/nginx/error.log",
    access_log="off",
    run_as=None,
):
    """The whole file. `chat` and `user` are HOST:PORT; none of a kind means that all are down. Without
    `media`, or when they are gone, user nodes answer the calls for files."""
    user = user or ["127.0.0.1:1"]
    values = {
        "USER": f"user {run_as};" if run_as else "",
        "WORKERS": workers,
        "OPEN_FILES": open_files,
        "CONNECTIONS": connections,
        "SHUTDOWN_TIMEOUT": shutdown_timeout,
        "PREFIX": prefix,
        "ERROR_LOG": error_log,
        "ACCESS_LOG": access_log if access_log == "off" else f"{access_log} parley",
        "LISTEN": listen,
        "CHAT_SERVERS": servers(chat or ["127.0.0.1:1"]),
        "USER_SERVERS": servers(user),
        "MEDIA_SERVERS": "\n".join(filter(None, [servers(media), servers(user, " backup" if media else "")])),
        # Not sticky: another key for each handshake, the same for its question whether a node lives.
        "V1_KEY": "$parley_user" if sticky else "$request_id",
        "CLASSIC_KEY": "$arg_roomid" if sticky else "$request_id",
        "SOCKET": SOCKET,
        "PROBLEMS": "\n".join(problem_location(*each) for each in PROBLEMS),
    }
    return fill("parley.conf.in", values)


def render_cdn(
    listen,
    storage,
    secret,
    *,
    purge_listen,
    public_storage=None,
    prefix="/var/lib/nginx-cdn",
    cache_size="10g",
    workers="auto",
    connections=16_384,
    open_files=65_536,
    error_log="/var/log/nginx/cdn-error.log",
    access_log="off",
    run_as=None,
):
    """The edge. `storage` is the URL at which the edge reaches the S3 server, `public_storage` that of the
    setting s3-public-endpoint, where it differs: signatures are for its host."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,}", secret):
        raise ValueError("the secret must be 16 or more of letters, digits, - and _")
    here, signed = urlsplit(storage), urlsplit(public_storage or storage)
    values = {
        "USER": f"user {run_as};" if run_as else "",
        "WORKERS": workers,
        "OPEN_FILES": open_files,
        "CONNECTIONS": connections,
        "PREFIX": prefix,
        "CACHE_SIZE": cache_size,
        "ERROR_LOG": error_log,
        "ACCESS_LOG": access_log if access_log == "off" else f"{access_log} parley",
        "LISTEN": listen,
        "PURGE_LISTEN": purge_listen,
        "STORAGE": here.netloc if here.port else f"{here.netloc}:{443 if here.scheme == 'https' else 80}",
        "STORAGE_SCHEME": here.scheme,
        "STORAGE_NAME": here.hostname,
        "STORAGE_HOST": signed.netloc,
        "SECRET": secret,
    }
    return fill("cdn.conf.in", values)


def main():
    parser = argparse.ArgumentParser(description="Renders deploy/nginx/parley.conf.in, or cdn.conf.in")
    parser.add_argument("--listen", default="80", help="as in Nginx: PORT or HOST:PORT")
    parser.add_argument("--chat", help="HOST:PORT,... of the chat nodes")
    parser.add_argument("--user", help="HOST:PORT,... of the user nodes")
    parser.add_argument("--media", default="", help="HOST:PORT,... of the media nodes")
    parser.add_argument("--no-sticky", action="store_true", help="a chat node by chance")
    parser.add_argument("--cdn", action="store_true", help="the edge in front of the storage instead")
    parser.add_argument("--storage", help="URL of the S3 server, as the edge reaches it")
    parser.add_argument("--public-storage", help="the same as clients do, where that differs")
    parser.add_argument("--purge-listen", default="127.0.0.1:8082", help="where nodes purge the cache")
    parser.add_argument("--cache-size", default="10g", help="of the edge's cache, at most")
    parser.add_argument("--prefix", help="folder of its pid, bodies and cache")
    parser.add_argument("--access-log", default="off", help="a file, or off")
    parser.add_argument("--error-log", default="/var/log/nginx/error.log", help="a file")
    own = "www-data" if os.geteuid() == 0 else ""
    parser.add_argument("--run-as", default=own, help="user of the workers, when started as root")
    given = parser.parse_args()
    common = {"access_log": given.access_log, "error_log": given.error_log, "run_as": given.run_as}
    if given.prefix:
        common["prefix"] = given.prefix
    if given.cdn:
        if not given.storage or not os.environ.get("PARLEY_CDN_SECRET"):
            parser.error("--cdn needs --storage and the variable PARLEY_CDN_SECRET")
        more = {"public_storage": given.public_storage, "cache_size": given.cache_size}
        secret = os.environ["PARLEY_CDN_SECRET"]
        text = render_cdn(given.listen, given.storage, secret, purge_listen=given.purge_listen, **more, **common)
    else:
        if not given.chat or not given.user:
            parser.error("--chat and --user are needed")
        nodes = [[each for each in words.split(",") if each] for words in (given.chat, given.user, given.media)]
        text = render(given.listen, nodes[0], nodes[1], media=nodes[2], sticky=not given.no_sticky, **common)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
