"""Messages over REST: sending, nonces, history, edits, deletions, reactions, read marks."""

import threading

import pytest

from parley_client import new_nonce, refused

MESSAGE_FIELDS = {"id", "room_id", "user_id", "type", "content", "created_at"}


def test_send(ann, bob, room):
    message = ann.say(room, "Soup is ready")
    assert set(message) >= MESSAGE_FIELDS
    assert message["room_id"] == room and message["user_id"] == ann.id
    assert message["type"] == "TEXT" and message["content"] == "Soup is ready"
    assert "deleted" not in message and message.get("edited_at") is None
    assert bob.history(room) == [message]


def test_send_is_for_members(eve, room, private_room):
    refused(eve.post_message(room), 403, "not_a_member")
    refused(eve.post_message(private_room), 404, "unknown_room")
    refused(eve.post_message("123456789"), 404, "unknown_room")


def test_the_same_nonce_gives_the_same_message(ann, room):
    nonce = new_nonce()
    first = ann.say(room, "once", nonce=nonce)
    again = ann.post_message(room, "once", nonce=nonce)
    assert again.status_code == 200 and again.json() == first
    refused(ann.post_message(room, "something else", nonce=nonce), 409, "nonce_conflict")
    assert ann.history(room) == [first]


def test_a_nonce_belongs_to_one_user_and_room(ann, bob, room):
    nonce, other_room = new_nonce(), ann.room(bob)
    messages = [user.say(r, "mine", nonce=nonce) for user in (ann, bob) for r in (room, other_room)]
    assert len({m["id"] for m in messages}) == 4


def test_the_same_nonce_over_rest_and_socket(ann, bob, room):
    socket, watcher, nonce = ann.socket(room), bob.socket(room), new_nonce()
    first = ann.say(room, "once", nonce=nonce)
    assert socket.expect("message")["message"] == first
    assert socket.say(room, "once", nonce=nonce)["message"] == first
    error = socket.refused(
        "send", "nonce_conflict", room_id=room, nonce=nonce, type="TEXT", content="x"
    )
    assert error["nonce"] == nonce
    over_socket = socket.say(room, "twice", nonce=(other := new_nonce()))["message"]
    answer = ann.post_message(room, "twice", nonce=other)
    assert answer.status_code == 200 and answer.json() == over_socket
    assert [watcher.expect("message")["message"]["content"] for _ in range(2)] == ["once", "twice"]
    watcher.quiet(skip={"presence"})


def test_the_same_nonce_from_many_calls_at_once(ann, bob, room):
    watcher, nonce, answers = bob.socket(room), new_nonce(), []

    def send():
        answers.append(ann.post_message(room, "once", nonce=nonce))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status_code for a in answers) == [200] * 7 + [201]
    assert len({a.json()["id"] for a in answers}) == 1
    watcher.expect("message")
    watcher.quiet(skip={"presence"})


def test_a_nonce_is_known_after_its_message_was_changed(ann, room):
    nonce = new_nonce()
    message = ann.say(room, "first text", nonce=nonce)
    ann.patch(f"/v1/rooms/{room}/messages/{message['id']}", {"content": "second text"})
    again = ann.post_message(room, "first text", nonce=nonce)
    assert again.status_code == 200 and again.json()["id"] == message["id"]
    assert ann.delete(f"/v1/rooms/{room}/messages/{message['id']}").status_code == 204
    again = ann.post_message(room, "first text", nonce=nonce)
    assert again.status_code == 200 and again.json()["id"] == message["id"]
    assert len(ann.history(room)) == 1


@pytest.mark.parametrize("nonce", ["", "x" * 65, 7, None, ["x"], "a\u0000b"])
def test_bad_nonces(ann, room, nonce):
    body = {"nonce": nonce, "type": "TEXT", "content": "x"}
    assert ann.post(f"/v1/rooms/{room}/messages", body).status_code in {400, 422}
    assert ann.history(room) == []


@pytest.mark.parametrize("nonce", ["x", "x" * 64, "ü" * 32, "'; --", "01ARZ3NDEKTSV4RRFFQ69G5FAV"])
def test_nonces_may_be_any_text(ann, room, nonce):
    message = ann.say(room, nonce=nonce)
    assert ann.post_message(room, nonce=nonce).json() == message


@pytest.mark.parametrize(
    "content",
    [
        "x" * 4000,
        "ä" * 4000,
        "🍲" * 4000,
        "e\u0301",
        "\u202eright to left",
        "a\nb\tc",
        "\\.",
        "\\N",
        "%s%n",
        "</script><img src=x onerror=alert(1)>",
        '"quoted"',
        "a\u2028b",
    ],
)
def test_contents_come_back_as_they_were(ann, bob, room, content):
    watcher = bob.socket(room)
    message = ann.say(room, content)
    assert message["content"] == content
    assert watcher.expect("message")["message"]["content"] == content
    assert bob.history(room)[0]["content"] == content


def test_content_is_trimmed(ann, room):
    assert ann.say(room, "  \n soup \t ")["content"] == "soup"
    assert len(ann.say(room, " " * 50 + "x" * 4000 + " " * 50)["content"]) == 4000


@pytest.mark.parametrize("content", ["", "   ", "\n\t ", None, 7, ["x"], {"x": 1}, True])
def test_contents_that_are_none(ann, room, content):
    body = {"nonce": new_nonce(), "type": "TEXT", "content": content}
    assert ann.post(f"/v1/rooms/{room}/messages", body).status_code in {400, 422}
    assert ann.history(room) == []


@pytest.mark.parametrize("kind", ["", "text", "VIDEO", 1, None])
def test_bad_types(ann, room, kind):
    assert ann.post_message(room, type=kind).status_code in {400, 422}


def test_an_unknown_field_is_ignored(ann, room):
    assert ann.say(room, "x", colour="red", id="5")["content"] == "x"


def test_a_reply(ann, bob, room):
    first = ann.say(room, "question")
    answer = bob.say(room, "answer", reply_to=first["id"])
    assert answer["reply_to"] == first["id"]
    elsewhere = ann.say(ann.room(bob), "elsewhere")
    for wrong in (elsewhere["id"], "123456789"):
        refused(bob.post_message(room, "x", reply_to=wrong), 404, "unknown_message")
    assert bob.post_message(room, "x", reply_to=5).status_code in {400, 422}


def test_history_in_both_directions(ann, room):
    sent = [ann.say(room, f"number {i}") for i in range(7)]
    assert ann.history(room) == sent[::-1], "newest first with neither"
    assert ann.history(room, before=sent[3]["id"]) == sent[2::-1], "newest first with before"
    assert ann.history(room, after=sent[3]["id"]) == sent[4:], "oldest first with after"
    assert ann.history(room, after="1") == sent
    assert [int(m["id"]) for m in sent] == sorted(int(m["id"]) for m in sent)
    answer = ann.get(f"/v1/rooms/{room}/messages", before=sent[3]["id"], after=sent[1]["id"])
    assert answer.status_code in {200, 422}


@pytest.mark.parametrize("cursor", ["before", "after"])
def test_history_is_paged(ann, room, cursor):
    sent = [ann.say(room, f"number {i}") for i in range(7)]
    expected = sent if cursor == "after" else sent[::-1]
    seen, position = [], {"after": "1"} if cursor == "after" else {}
    for size in (3, 3, 1):
        page = ann.got(f"/v1/rooms/{room}/messages", limit=3, **position)
        assert len(page["messages"]) == size
        seen += page["messages"]
        position = {cursor: page["next"]}
    assert position[cursor] is None and seen == expected


def test_history_has_fifty_a_page_by_default(ann, room):
    socket = ann.socket()
    for i in range(51):
        socket.say(room, f"number {i}")
    page = ann.got(f"/v1/rooms/{room}/messages")
    assert len(page["messages"]) == 50 and page["next"] is not None
    assert len(ann.got(f"/v1/rooms/{room}/messages", limit=100)["messages"]) == 51


@pytest.mark.parametrize("value", ["x", "-1", "", "1.5", "9" * 30])
def test_bad_positions_in_history(ann, room, value):
    for name in ("before", "after"):
        assert ann.get(f"/v1/rooms/{room}/messages", **{name: value}).status_code == 422


def test_history_is_for_members(eve, room, private_room):
    refused(eve.get(f"/v1/rooms/{room}/messages"), 403, "not_a_member")
    refused(eve.get(f"/v1/rooms/{private_room}/messages"), 404, "unknown_room")
    refused(eve.get("/v1/rooms/123456789/messages"), 404, "unknown_room")


def test_edit(ann, bob, room):
    watcher = bob.socket(room)
    message = ann.say(room, "Soup is redy")
    answer = ann.patch(f"/v1/rooms/{room}/messages/{message['id']}", {"content": " Soup is ready "})
    assert answer.status_code == 200
    edited = answer.json()
    assert edited["content"] == "Soup is ready" and edited["edited_at"]
    assert {k: edited[k] for k in ("id", "user_id", "created_at")} == {
        k: message[k] for k in ("id", "user_id", "created_at")
    }
    posted, event = watcher.expect("message"), watcher.expect("edited")
    assert event["message"] == edited and event["prev_id"] == posted["id"]
    assert int(event["id"]) > int(posted["id"])
    assert bob.history(room) == [edited]


def test_only_the_author_edits(ann, bob, eve, room, private_room):
    for place in (room, private_room):
        message = bob.say(place, "mine")
        path = f"/v1/rooms/{place}/messages/{message['id']}"
        refused(ann.patch(path, {"content": "changed"}), 403, "forbidden")
        assert eve.patch(path, {"content": "changed"}).status_code in {403, 404}
        assert bob.history(place) == [message]


@pytest.mark.parametrize("content", ["", "  ", "x" * 4001, None, 5])
def test_edits_to_what_is_not_allowed(ann, room, content):
    message = ann.say(room, "fine")
    answer = ann.patch(f"/v1/rooms/{room}/messages/{message['id']}", {"content": content})
    assert answer.status_code in {400, 413, 422}
    assert ann.history(room) == [message]


def test_delete(ann, bob, room):
    watcher = bob.socket(room)
    message = ann.say(room, "never mind")
    watcher.expect("message")
    path = f"/v1/rooms/{room}/messages/{message['id']}"
    assert ann.delete(path).status_code == 204
    assert watcher.expect("deleted")["message_id"] == message["id"]
    gone = bob.history(room)
    assert len(gone) == 1 and gone[0]["id"] == message["id"]
    assert gone[0]["deleted"] is True and gone[0]["content"] == ""
    refused(ann.patch(path, {"content": "back"}), 404, "unknown_message")
    assert ann.delete(path).status_code in {204, 404}
    watcher.quiet(skip={"presence"})


def test_an_admin_deletes_what_others_wrote(ann, bob, eve, room):
    by_bob, by_ann = bob.say(room), ann.say(room)
    refused(bob.delete(f"/v1/rooms/{room}/messages/{by_ann['id']}"), 403, "forbidden")
    refused(eve.delete(f"/v1/rooms/{room}/messages/{by_ann['id']}"), 403, "not_a_member")
    assert ann.delete(f"/v1/rooms/{room}/messages/{by_bob['id']}").status_code == 204


def test_a_message_of_another_room(ann, bob, room):
    message = ann.say(ann.room(bob), "elsewhere")
    path = f"/v1/rooms/{room}/messages/{message['id']}"
    refused(ann.patch(path, {"content": "x"}), 404, "unknown_message")
    refused(ann.delete(path), 404, "unknown_message")
    refused(ann.put(f"{path}/reactions/👍"), 404, "unknown_message")
    for bad in ("0", "-1", "x", "9" * 30):
        refused(ann.delete(f"/v1/rooms/{room}/messages/{bad}"), 404, "unknown_message")


def test_reactions(ann, bob, eve, room):
    watcher = ann.socket(room)
    message = ann.say(room, "soup?")
    watcher.expect("message")
    path = f"/v1/rooms/{room}/messages/{message['id']}/reactions/🍲"
    for _ in range(2):
        assert bob.put(path).status_code == 204
    event = watcher.expect("reaction")
    assert (event["message_id"], event["user_id"]) == (message["id"], bob.id)
    assert event["emoji"] == "🍲" and event["added"] is True
    assert ann.put(path).status_code == 204
    assert watcher.expect("reaction")["user_id"] == ann.id
    for _ in range(2):
        assert bob.delete(path).status_code == 204
    assert watcher.expect("reaction", user_id=bob.id)["added"] is False
    watcher.quiet(skip={"presence"})
    assert eve.put(path).status_code == 403
    answer = bob.put(f"/v1/rooms/{room}/messages/{message['id']}/reactions/%F0%9F%8D%B2")
    assert answer.status_code == 204


@pytest.mark.parametrize("emoji", ["a" * 65, "%00", "%20", "%0A", "%FF", "%ED%A0%80"])
def test_bad_emoji(ann, room, emoji):
    message = ann.say(room)
    answer = ann.put(f"/v1/rooms/{room}/messages/{message['id']}/reactions/{emoji}")
    assert answer.status_code in {400, 422}, answer.text


def test_reactions_stand_in_history(ann, bob, room):
    message = ann.say(room, "soup?")
    for user in (ann, bob):
        user.put(f"/v1/rooms/{room}/messages/{message['id']}/reactions/👍")
    reactions = ann.history(room)[0]["reactions"]
    assert reactions == [{"emoji": "👍", "count": 2, "user_ids": [ann.id, bob.id]}]


def test_read_marks(ann, bob, eve, room):
    messages = [ann.say(room, f"number {i}") for i in range(3)]
    watcher, other = ann.socket(room), bob.socket()
    path = f"/v1/rooms/{room}/read"
    assert bob.put(path, {"message_id": messages[1]["id"]}).status_code == 204
    for socket in (watcher, other):
        receipt = socket.expect("receipt", skip={"presence"})
        assert receipt["room_id"] == room and receipt["user_id"] == bob.id
        assert receipt["message_id"] == messages[1]["id"]
    assert bob.put(path, {"message_id": messages[0]["id"]}).status_code == 204
    watcher.quiet(skip={"presence"})
    assert bob.got("/v1/rooms")["rooms"][0]["last_read_id"] == messages[1]["id"]
    refused(eve.put(path, {"message_id": messages[0]["id"]}), 403, "not_a_member")
    for bad in ("x", "-1", 5, None, ""):
        assert bob.put(path, {"message_id": bad}).status_code in {400, 422}
    assert bob.put(path, {}).status_code in {400, 422}
