#!/usr/bin/env python3
"""Fills in deploy/nginx/parley.conf.in: Nginx in front of a cluster's chat and user nodes.

    nginx.py --listen 80 --chat 10.0.0.1:8080,10.0.0.2:8080 --user 10.0.0.3:8080 >parley.conf
    nginx -t -c "$PWD/parley.conf"

./cluster renders its own with the same function.
"""

import argparse
import json
import os
import sys
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[2] / "deploy/nginx/parley.conf.in"

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


def servers(addresses):
    return "\n".join(f"        server {each} max_fails=1 fail_timeout=2s;" for each in addresses)


def render(
    listen,
    chat,
    user,
    *,
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
    """The whole file. `chat` and `user` are HOST:PORT; none of a kind means that all are down."""
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
        "USER_SERVERS": servers(user or ["127.0.0.1:1"]),
        # Not sticky: another key for each handshake, the same for its question whether a node lives.
        "V1_KEY": "$parley_user" if sticky else "$request_id",
        "CLASSIC_KEY": "$arg_roomid" if sticky else "$request_id",
        "SOCKET": SOCKET,
        "PROBLEMS": "\n".join(problem_location(*each) for each in PROBLEMS),
    }
    text = TEMPLATE.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def main():
    parser = argparse.ArgumentParser(description="Renders deploy/nginx/parley.conf.in")
    parser.add_argument("--listen", default="80", help="as in Nginx: PORT or HOST:PORT")
    parser.add_argument("--chat", required=True, help="HOST:PORT,... of the chat nodes")
    parser.add_argument("--user", required=True, help="HOST:PORT,... of the user nodes")
    parser.add_argument("--no-sticky", action="store_true", help="a chat node by chance")
    parser.add_argument("--prefix", default="/var/lib/nginx", help="folder of its pid and bodies")
    parser.add_argument("--access-log", default="off", help="a file, or off")
    parser.add_argument("--error-log", default="/var/log/nginx/error.log", help="a file")
    own = "www-data" if os.geteuid() == 0 else ""
    parser.add_argument("--run-as", default=own, help="user of the workers, when started as root")
    arguments = parser.parse_args()
    sys.stdout.write(
        render(
            arguments.listen,
            arguments.chat.split(","),
            arguments.user.split(","),
            prefix=arguments.prefix,
            sticky=not arguments.no_sticky,
            access_log=arguments.access_log,
            error_log=arguments.error_log,
            run_as=arguments.run_as,
        )
    )


if __name__ == "__main__":
    main()
