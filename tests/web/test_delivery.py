"""How the page comes to the browser: small, compressed ahead, kept by its name, allowed nothing but itself."""

import re

SCRIPT_MAX = 120_000


def test_the_script_before_login_is_small(visitor):
    new = visitor("new")
    sizes = {}
    new.page.on("response", lambda answer: sizes.__setitem__(answer.url, answer))
    new.page.goto(new.watch.origin + "/")
    new.page.locator(".auth-card").wait_for()
    scripts = {url: answer.request.sizes()["responseBodySize"] for url, answer in sizes.items() if url.endswith(".js")}
    assert scripts and all(size > 0 for size in scripts.values())
    assert sum(scripts.values()) <= SCRIPT_MAX, scripts
    # Neither the admin page nor another language is among them.
    assert not any(re.search(r"/(admin|lang|emoji_picker)", url) for url in scripts)


def test_files_are_compressed_ahead_and_kept_by_their_names(rest, server):
    http = rest(server).http
    page = http.get("/", headers={"accept-encoding": "gzip"})
    assert page.headers["cache-control"] == "no-cache"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert re.search(r"<script(?![^>]* src=)|\son\w+=|<style|\sstyle=", page.text) is None
    paths = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
    assert any(path.endswith(".js") for path in paths) and any(path.endswith(".css") for path in paths)
    for path in paths:
        bodies = set()
        tags = set()
        for coding in ("br", "gzip", "identity"):
            answer = http.get(path, headers={"accept-encoding": coding})
            assert answer.headers.get("content-encoding", "identity") == coding, path
            assert "immutable" in answer.headers["cache-control"]
            assert answer.headers["vary"] == "Accept-Encoding"
            tags.add(answer.headers["etag"])
            again = {"accept-encoding": coding, "if-none-match": answer.headers["etag"]}
            assert http.get(path, headers=again).status_code == 304
            if coding != "br":  # the client of this test does not know how
                bodies.add(answer.text)
        assert len(bodies) == 1 and len(tags) == 3
