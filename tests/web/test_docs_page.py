"""/docs: both API documents as one page, from the server alone."""

import json

from chromium import PHONE
from playwright.sync_api import expect


def open_docs(visitor, **options):
    reader = visitor("reader", **options)
    reader.page.goto(reader.watch.origin + "/docs")
    expect(reader.page.get_by_role("heading", name="Parley API")).to_be_visible()
    return reader


def test_every_call_frame_and_code_is_on_the_page(visitor, rest, server):
    reader = open_docs(visitor)
    http = rest(server).http
    openapi = json.loads(http.get("/openapi.json").text)
    asyncapi = json.loads(http.get("/asyncapi.json").text)
    on_page = set(reader.page.locator("[id]").evaluate_all("nodes => nodes.map(n => n.id)"))
    methods = ("get", "post", "put", "patch", "delete")
    calls = {
        item[method]["operationId"]
        for item in openapi["paths"].values()
        for method in methods
        if method in item
    }
    assert len(calls) > 20
    codes = {f"code-{code}" for code in openapi["components"]["schemas"]["ErrorCode"]["enum"]}
    frames = {
        "ws-" + ref["$ref"].split("/")[-1]
        for operation in asyncapi["operations"].values()
        for ref in operation["messages"]
    }
    assert len(frames) > 20
    assert calls | codes | frames <= on_page
    links = reader.page.locator("a[href^='#']").evaluate_all("nodes => nodes.map(n => n.hash.slice(1))")
    assert set(links) <= on_page


def test_a_link_opens_what_it_leads_to(visitor):
    reader = open_docs(visitor)
    nav = reader.page.locator("nav")
    nav.get_by_role("link", name="POST").first.click()
    target = reader.page.url.split("#")[1]
    expect(reader.page.locator(f"details#{target}")).to_have_attribute("open", "")
    expect(reader.page.locator(f"details#{target} .inside")).to_be_visible()
    reader.page.reload()
    expect(reader.page.locator(f"details#{target}")).to_have_attribute("open", "")
    expect(reader.page.locator(f"details#{target}")).to_be_in_viewport()


def test_it_fits_a_phone(visitor):
    reader = open_docs(visitor, **PHONE)
    reader.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
