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


def try_call(page, name, body=None, **fields):
    """Fills in the form of a call and sends it; the status line and the answer."""
    page.evaluate("id => { document.getElementById(id).open = true; }", name)
    form = page.locator(f"#{name} form.try")
    for field, value in fields.items():
        form.locator(f"#try-{name}-{field}").fill(value)
    if body is not None:
        form.get_by_label("Body").fill(json.dumps(body))
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("status")).to_contain_text(" ms")
    text = form.locator("pre").text_content()
    return form.get_by_role("status").text_content(), json.loads(text) if text else None


def test_a_person_signs_up_and_chats_through_the_page_alone(visitor):
    page = open_docs(visitor, allow=["status of 401"]).page
    status, problem = try_call(page, "getMe")
    assert status.startswith("401") and problem["code"] == "unauthorized"
    account = {"username": "docs_reader", "email": "docs@example.org", "password": "correct horse battery"}
    status, signin = try_call(page, "createUser", account)
    assert status.startswith("201"), signin
    expect(page.get_by_label("Access token")).to_have_value(signin["access_token"])
    status, room = try_call(page, "createRoom", {"name": "Read in the docs", "kind": "group"})
    assert status.startswith("201"), room

    socket = page.locator("#try-socket")
    socket.get_by_role("button", name="Connect", exact=True).click()
    expect(socket.get_by_role("status")).to_have_text("Connected.")
    frames = socket.get_by_role("log")
    expect(frames).to_contain_text('"op": "welcome"')
    socket.get_by_label("Frame", exact=True).select_option(label="subscribe")
    socket.get_by_label("Text").fill(json.dumps({"op": "subscribe", "room_id": room["id"]}))
    socket.get_by_role("button", name="Send frame").click()
    expect(frames).to_contain_text('"op": "subscribed"')

    words = {"nonce": "docs-1", "type": "TEXT", "content": "Sent from the page"}
    status, message = try_call(page, "sendMessage", words, room_id=room["id"])
    assert status.startswith("201"), message
    expect(frames).to_contain_text("Sent from the page")
    status, history = try_call(page, "listMessages", room_id=room["id"], limit="10")
    assert [each["content"] for each in history["messages"]] == ["Sent from the page"]
    socket.get_by_role("button", name="Disconnect").click()
    expect(socket.get_by_role("status")).to_contain_text("Closed with 1000")


def test_what_is_tried_wrong_is_told(visitor):
    reader = open_docs(visitor, allow=["status of 401"])
    socket = reader.page.locator("#try-socket")
    socket.get_by_role("button", name="Send frame").click()
    expect(socket.get_by_role("status")).to_have_text("Not connected: connect first.")
    status, problem = try_call(reader.page, "createSession", {"email": "nobody@example.org", "password": "wrong words"})
    assert status.startswith("401") and problem["code"] == "invalid_credentials"
    expect(reader.page.get_by_label("Access token")).to_have_value("")


def test_the_classic_surface_can_be_tried(visitor):
    page = open_docs(visitor).page
    account = {"username": "old_reader", "email": "old@example.org", "password": "correct horse battery"}
    assert try_call(page, "classicSignUp", account)[0].startswith("200")
    _, signin = try_call(page, "classicLogIn", account)
    expect(page.get_by_label("Classic token")).to_have_value(signin["token"])
    _, made = try_call(page, "classicCreateRoom", {"roomname": "Read in the old docs", "typ": "GROUP"})
    room = str(made["New Room"]["roomid"])  # a number longer than JavaScript's, not rounded on its way
    _, rooms = try_call(page, "classicMyRooms")
    assert str(rooms[0]["roomid"]) == room

    socket = page.locator("#try-classic")
    socket.get_by_label("roomid").fill(room)
    socket.get_by_role("button", name="Connect", exact=True).click()
    frames = socket.get_by_role("log")
    expect(frames).to_contain_text("PONG")
    words = {"event_type": "chat", "message_type": "TEXT", "content": "Sent from the page"}
    socket.get_by_label("Text").fill(json.dumps(words))
    socket.get_by_role("button", name="Send frame").click()
    expect(frames.locator(".in").last).to_contain_text("Sent from the page")
