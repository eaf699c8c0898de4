"""Tokens that run out, sessions that end, and tabs that share one."""

import re

from playwright.sync_api import expect

REFUSED = [r"status of 401"]


def test_a_token_that_runs_out_is_renewed_unseen(person, own_server):
    server = own_server(PARLEY_ACCESS_TOKEN_SECONDS="5")
    ann = person("ann", at=server, own_socket=True)
    bob = person("bob", at=server)
    ann.make_room("Short lives")
    bob.join_room("Short lives")
    first = ann.session()["access"]
    ann.page.evaluate("window.stillTheSamePage = true")
    for i in range(5):
        ann.say(f"still here {i}")
        bob.sees(f"still here {i}")
        ann.page.wait_for_timeout(1700)
    assert ann.session()["access"] != first
    refreshes = [r for r in ann.watch.requests if r == "POST /v1/sessions/refresh"]
    assert len(refreshes) >= 2
    # The open socket got the new token and was never cut.
    assert len(ann.watch.sockets) == 1
    assert not ann.watch.sockets[0].is_closed()
    assert ann.page.evaluate("window.stillTheSamePage") is True
    assert ann.shown() == [f"still here {i}" for i in range(5)]


def test_a_page_whose_token_ran_out_comes_back_when_it_can_refresh(person, own_server):
    server = own_server(PARLEY_ACCESS_TOKEN_SECONDS="2")
    ann = person("ann", at=server, own_socket=True, allow=["ERR_FAILED", "WebSocket connection .* failed", *REFUSED])
    ann.make_room("Asleep")
    ann.page.route("**/v1/sessions/refresh", lambda route: route.abort())
    # The server ends a socket whose token has run out.
    ann.watch.sockets[0].wait_for_event("close", timeout=15_000)
    ann.say("dreamt")
    expect(ann.pending()).to_have_count(1)
    ann.page.unroute("**/v1/sessions/refresh")
    ann.sees("dreamt", timeout=30_000)
    expect(ann.pending()).to_have_count(0)


def test_five_tabs_share_a_session_and_none_spends_a_refresh_token_twice(person, own_server):
    server = own_server(PARLEY_ACCESS_TOKEN_SECONDS="3")
    ann = person("ann", at=server, allow=["WebSocket connection .* failed"])
    ann.make_room("Tabs")
    others = [ann.page.context.new_page() for _ in range(4)]
    for page in others:
        page.goto(ann.page.url)
        expect(page.locator(".chat-title h2")).to_have_text("Tabs")
    ann.page.wait_for_timeout(9000)
    ann.say("from the first")
    for page in others:
        expect(page.locator(".content")).to_have_text("from the first")
    others[0].get_by_label("Message", exact=True).fill("from the second")
    others[0].get_by_label("Message", exact=True).press("Enter")
    ann.sees("from the second")
    assert ann.watch.wrong == []
    # Logged out in one, logged out in all. A tab that asks for tokens in just that moment gets none.
    ann.watch.allowed.append("401 .*/v1/sessions/refresh")
    ann.log_out()
    for page in others:
        expect(page.locator(".auth-card")).to_be_visible()


def test_logging_out_closes_the_socket_and_says_nothing_alarming(person, rest, server):
    ann = person("ann", allow=REFUSED, own_socket=True)
    ann.make_room(f"Out {ann.name}")
    token = ann.session()["access"]
    ann.log_out()
    assert ann.has_no_socket()
    expect(ann.page.locator(".notice")).to_have_count(0)
    assert ann.session() is None
    assert rest(server).call("GET", "/v1/me", token).status_code == 401
    ann.log_in()
    expect(ann.page.locator(".me strong")).to_have_text(ann.name)


def test_a_session_ended_elsewhere_shows_the_log_in_page(person, rest, server):
    ann = person("ann", allow=REFUSED, own_socket=True)
    ann.make_room(f"Ended {ann.name}")
    answer = rest(server).call("DELETE", "/v1/sessions/current", ann.session()["access"])
    assert answer.status_code == 204
    expect(ann.page.locator(".auth-card")).to_be_visible()
    expect(ann.page.locator(".notice")).to_contain_text("This session was ended. Log in again.")
    assert ann.has_no_socket()
    ann.log_in()
    expect(ann.page).to_have_url(re.compile(r"#/r/\d+$"))
    expect(ann.page.locator(".chat-title h2")).to_have_text(f"Ended {ann.name}")
