"""What the Postman collection does, in order: see postman.py.

A step: `call` (operationId), `name`, `status`, and as needed `by` (whose token: the variable WHO_token), `body`,
`query`, `path` (values of path parameters; else the variable of that name), `expect` (JavaScript that must be true;
`body` is the answer) and `keep` (variable -> JavaScript expression of the answer).
"""


def step(call, name, status=200, by=None, **more):
    return {"call": call, "name": name, "status": status, **({"as": f"{by}_token"} if by else {}), **more}


def refused(call, name, status, code, **more):
    return step(call, name, status, expect=[f"body.code === '{code}'"], **more)


PASSWORD = "correct horse battery"


def person(who):
    return {"username": f"{who}-{{{{run}}}}", "email": f"{who}-{{{{run}}}}@example.org", "password": PASSWORD}


def words(nonce, content, **more):
    return {"nonce": f"{nonce}-{{{{run}}}}", "type": "TEXT", "content": content, **more}


SERVICE = [
    step("getHealth", "Is it alive", expect=["body.status === 'ok'"]),
    step("getReadiness", "Is it ready", expect=["body.status === 'ready'"]),
    step("getMetrics", "Its numbers"),
]

ACCOUNTS = [
    step("createUser", "Ann signs up", 201, body=person("ann"),
         keep={"ann_token": "body.access_token", "ann_id": "body.user.id"}),
    step("createUser", "Bob signs up", 201, body=person("bob"),
         keep={"bob_token": "body.access_token", "user_id": "body.user.id"}),
    refused("createUser", "A name is taken once", 409, "username_taken",
            body={**person("ann"), "email": "other-{{run}}@example.org"}),
    refused("createUser", "A short password is refused", 422, "invalid_password",
            body={**person("eve"), "password": "short"}),
    step("createSession", "Ann logs in again", 201,
         body={"email": "ann-{{run}}@example.org", "password": PASSWORD},
         keep={"refresh_token": "body.refresh_token", "second_token": "body.access_token"}),
    refused("createSession", "A wrong password is refused", 401, "invalid_credentials",
            body={"username": "ann-{{run}}", "password": "not this one"}),
    step("refreshSession", "Ann refreshes that session", body={"refresh_token": "{{refresh_token}}"},
         keep={"second_token": "body.access_token"}),
    refused("refreshSession", "A refresh token works once", 401, "token_reused",
            body={"refresh_token": "{{refresh_token}}"}),
    step("getMe", "Who is Ann", by="ann", expect=["body.username === 'ann-' + pm.collectionVariables.get('run')"]),
    refused("getMe", "Without a token", 401, "unauthorized"),
    step("updateMe", "Ann takes a display name", by="ann", body={"display_name": "Ann B."},
         expect=["body.display_name === 'Ann B.'"]),
    step("listPeople", "What everybody may know of her", by="bob", query={"ids": "{{ann_id}}"},
         expect=["body.users[0].display_name === 'Ann B.'", "!('email' in body.users[0])"]),
    step("createSession", "Ann logs in on another device", 201,
         body={"email": "ann-{{run}}@example.org", "password": PASSWORD}, keep={"third_token": "body.access_token"}),
    step("listSessions", "Ann's sessions", by="ann", expect=["body.sessions.length === 2", "body.sessions[1].current"],
         keep={"session_id": "body.sessions[0].id"}),
    refused("deleteSession", "Bob cannot end it", 404, "unknown_session", by="bob"),
    step("deleteSession", "Ann ends it", 204, by="ann"),
    refused("getMe", "It works no more", 401, "session_revoked", by="third"),
    step("deleteOtherSessions", "Ann is here only", 204, by="ann"),
    refused("changePassword", "Another password wants the present one", 403, "forbidden", by="ann",
            body={"current_password": "not this one", "password": PASSWORD}),
    step("changePassword", "Ann proves hers", 204, by="ann", body={"current_password": PASSWORD, "password": PASSWORD}),
]  # fmt: skip

ROOMS = [
    step("createRoom", "Ann makes a room", 201, by="ann",
         body={"name": "kitchen {{run}}", "kind": "group", "visibility": "public", "topic": "What is for lunch"},
         expect=["body.my_role === 'owner'", "body.member_count === 1"], keep={"room_id": "body.id"}),
    refused("createRoom", "A name is taken once", 409, "room_name_taken", by="bob",
            body={"name": "kitchen {{run}}", "kind": "group"}),
    step("searchDirectory", "Bob finds it", by="bob", query={"query": "kitchen {{run}}"},
         expect=["body.rooms.length === 1"]),
    step("joinRoom", "Bob joins", by="bob", expect=["body.my_role === 'member'", "body.member_count === 2"]),
    step("getRoom", "Bob looks at it", by="bob"),
    step("updateRoom", "Ann changes the topic", by="ann", body={"topic": "Soup"},
         expect=["body.topic === 'Soup'"]),
    refused("updateRoom", "Bob may not", 403, "forbidden", by="bob", body={"topic": "Cake"}),
    step("putRoomWords", "Ann bans pineapple", by="ann",
         body={"words": [{"word": "pineapple", "action": "reject", "match": "whole"}]},
         expect=["body.words.length === 1"]),
    step("getRoomWords", "Ann reads the room's words", by="ann", expect=["body.words[0].word === 'pineapple'"]),
    refused("sendMessage", "Bob wants pineapple", 422, "content_rejected", by="bob", body=words("n0", "Pineapple!")),
    step("createRoom", "Ann writes to Bob alone", 201, by="ann",
         body={"kind": "dm", "member_ids": ["{{user_id}}"]}, expect=["body.kind === 'dm'"], keep={"dm_id": "body.id"}),
    step("createRoom", "The same room again for Bob", 200, by="bob",
         body={"kind": "dm", "member_ids": ["{{ann_id}}"]},
         expect=["body.id === pm.collectionVariables.get('dm_id')"]),
    step("listMembers", "Who is in the room", by="ann", expect=["body.members.length === 2"]),
    step("putMember", "Bob becomes admin", 204, by="ann", body={"role": "admin"}),
]  # fmt: skip

MESSAGES = [
    step("sendMessage", "Ann sends", 201, by="ann", body=words("n1", "Soup is ready"),
         expect=["body.content === 'Soup is ready'"], keep={"message_id": "body.id"}),
    step("sendMessage", "The same nonce: the same message", 200, by="ann",
         body=words("n1", "Soup is ready"), expect=["body.id === pm.collectionVariables.get('message_id')"]),
    refused("sendMessage", "The same nonce with other words", 409, "nonce_conflict", by="ann",
            body=words("n1", "Cake is ready")),
    step("sendMessage", "Bob answers", 201, by="bob",
         body=words("n2", "Coming", reply_to="{{message_id}}"), keep={"answer_id": "body.id"}),
    step("listMessages", "History, newest first", by="bob", query={"limit": "10"},
         expect=["body.messages[0].id === pm.collectionVariables.get('answer_id')", "body.messages.length === 2"]),
    step("listMessages", "What came after the first", by="bob", query={"after": "{{message_id}}"},
         expect=["body.messages.length === 1"]),
    step("editMessage", "Ann edits", by="ann", body={"content": "Soup is hot"},
         expect=["body.content === 'Soup is hot'", "'edited_at' in body"]),
    refused("editMessage", "Bob may not edit it", 403, "forbidden", by="bob", body={"content": "Mine"}),
    step("addReaction", "Bob reacts", 204, by="bob", path={"emoji": "%F0%9F%8D%B2"}),
    step("listMessages", "The reaction is in history", by="ann", query={"before": "{{answer_id}}"},
         expect=["body.messages[0].reactions[0].count === 1"]),
    step("removeReaction", "Bob takes it back", 204, by="bob", path={"emoji": "%F0%9F%8D%B2"}),
    step("listMyRooms", "Ann has one unread", by="ann",
         expect=["body.rooms.find((r) => r.id === pm.collectionVariables.get('room_id')).unread_count === 1"]),
    step("markRead", "Ann has read it", 204, by="ann", body={"message_id": "{{answer_id}}"}),
    step("deleteMessage", "Ann deletes her message", 204, by="ann"),
    step("listMessages", "It stays in history, empty", by="ann", query={"before": "{{answer_id}}"},
         expect=["body.messages[0].deleted === true", "body.messages[0].content === ''"]),
]  # fmt: skip

ADMINISTRATION = [
    step("listHeld", "Nothing waits for a moderator", by="ann", expect=["body.held.length === 0"]),
    refused("listHeld", "Cat is none of the room", 403, "not_a_member", by="cat"),
    refused("approveHeld", "What does not wait is not let through", 404, "unknown_message", by="ann",
            path={"held_id": "1"}),
    refused("rejectHeld", "Nor refused", 404, "unknown_message", by="ann", path={"held_id": "1"}),
    refused("listAllHeld", "Those of all rooms are for the server's moderators", 403, "forbidden", by="ann"),
    refused("traceMessage", "And so is the way of a message", 403, "forbidden", by="ann"),
    refused("listAllRooms", "And so are all rooms", 403, "forbidden", by="ann"),
    refused("getServer", "Or what is in force", 403, "forbidden", by="ann"),
    refused("listUsers", "Accounts are for the server's admins", 403, "forbidden", by="ann"),
    refused("getUser", "Also one", 403, "forbidden", by="ann"),
    refused("changeUser", "Nobody else changes it", 403, "forbidden", by="ann", body={"disabled": True}),
    refused("revokeSessions", "Or ends its sessions", 403, "forbidden", by="ann"),
    refused("setPassword", "Or its password", 403, "forbidden", by="ann", body={"password": PASSWORD}),
    refused("eraseUser", "Or erases it", 403, "forbidden", by="ann"),
    refused("getErasure", "Or reads the receipt", 403, "forbidden", by="ann"),
]  # fmt: skip

LEAVING = [
    step("leaveRoom", "Bob leaves", by="bob"),
    refused("sendMessage", "Who left cannot send", 403, "not_a_member", by="bob", body=words("n3", "Hello?")),
    refused("leaveRoom", "The last owner stays", 409, "last_owner", by="ann"),
    step("putMember", "Ann brings Bob back", 204, by="ann", body={}),
    step("removeMember", "And sends him out", 204, by="ann"),
    step("deleteRoom", "Ann deletes the room", 204, by="ann"),
    refused("getRoom", "It is gone", 404, "unknown_room", by="ann"),
    step("deleteCurrentSession", "Bob logs out", 204, by="bob"),
    refused("getMe", "His token works no more", 401, "session_revoked", by="bob"),
]

def refused_classic(call, name, status, **more):
    return step(call, name, status, expect=["typeof body.error === 'string'"], **more)


OLD = {"roomid": "{{old_room}}", "roomname": "old kitchen {{run}}", "typ": "GROUP"}
CLASSIC = [
    step("classicHealth", "Is it ready", expect=["body.Health === 'Ready'"]),
    step("classicSignUp", "Cat signs up", body=person("cat"), keep={"cat_id": "body.id"}),
    refused_classic("classicSignUp", "An address is taken once", 409,
                    body={**person("dan"), "email": person("cat")["email"]}),
    step("classicLogIn", "Cat logs in", body={"email": person("cat")["email"], "password": PASSWORD},
         keep={"cat_token": "body.token"}),
    refused_classic("classicLogIn", "A wrong password is refused", 401,
                    body={"email": person("cat")["email"], "password": "not this one"}),
    step("classicSignUp", "Dan signs up", body=person("dan")),
    step("classicLogIn", "Dan logs in", body={"email": person("dan")["email"], "password": PASSWORD},
         keep={"dan_token": "body.token"}),
    # Ids are numbers of 63 bits there, which JavaScript cannot hold: the id is taken from the text.
    step("classicCreateRoom", "Cat makes a room", by="cat", body={"roomname": "old kitchen {{run}}", "typ": "GROUP"},
         keep={"old_room": "pm.response.text().match(/\"roomid\":(\\d+)/)[1]"}),
    step("classicJoinRoom", "Dan joins", by="dan", query=OLD, expect=["body.Success === 'room joined'"]),
    step("classicJoinRoomByPost", "Joined already: the same", by="dan", query=OLD),
    step("classicMyRooms", "Dan's rooms", by="dan", expect=["body.length === 1"]),
    step("classicMembers", "Who is in the room", by="dan", query={"room_id": "{{old_room}}"},
         expect=["body.length === 2"]),
    step("classicHistory", "Nothing was said yet", by="dan", query={"channel_id": "{{old_room}}"},
         expect=["body.length === 0"]),
    step("sendMessage", "Cat speaks on the other surface", 201, by="cat", path={"room_id": "{{old_room}}"},
         body=words("old1", "Hello from v1")),
    step("classicHistory", "Dan reads it here", by="dan", query={"channel_id": "{{old_room}}"},
         expect=["body[0].content.String === 'Hello from v1'"]),
    refused_classic("classicMembers", "Without a token", 401, query={"room_id": "{{old_room}}"}),
    step("classicMediaUrl", "A place for a picture", by="dan", query={"roomid": "{{old_room}}"},
         expect=["body.response.key.length > 0"]),
]

FILES = [
    step("createMedia", "Ann gets a ticket for a picture", 201, by="ann",
         body={"filename": "soup.png", "content_type": "image/png", "size": 1024},
         expect=["body.upload.method === 'PUT'"], keep={"media_id": "body.media_id"}),
    step("createAvatar", "And one for a picture of herself", 201, by="ann",
         body={"filename": "ann.png", "content_type": "image/png", "size": 1024}),
    refused("createMedia", "A program is not taken", 415, "media_type_not_allowed", by="ann",
            body={"filename": "soup.exe", "content_type": "application/x-msdownload", "size": 1024}),
    refused("completeMedia", "Nothing was uploaded yet", 409, "media_not_uploaded", by="ann"),
    refused("getMedia", "So there is nothing to read", 404, "unknown_media", by="ann"),
]  # fmt: skip

FILTER = [
    refused("getFilter", "The word lists are the admins'", 403, "forbidden", by="ann"),
    refused("reloadFilter", "To read them again too", 403, "forbidden", by="ann"),
]  # fmt: skip

FLOW = [
    {"name": "Service", "description": "For operators.", "steps": SERVICE},
    {"name": "Accounts", "description": "Sign up, log in, refresh.", "steps": ACCOUNTS},
    {"name": "Rooms", "description": "Make, find, join and change rooms.", "steps": ROOMS},
    {"name": "Word lists", "description": "For admins of the server.", "steps": FILTER},
    {"name": "Messages", "description": "Send, read, edit, react, delete.", "steps": MESSAGES},
    {"name": "Media", "description": "Tickets for files; the bytes go by signed URLs.", "steps": FILES},
    {"name": "Classic", "description": "The surface of the Go application, same rooms and users.", "steps": CLASSIC},
    {"name": "Administration", "description": "For moderators and admins.", "steps": ADMINISTRATION},
    {"name": "Leaving", "description": "And what is refused afterwards.", "steps": LEAVING},
]
