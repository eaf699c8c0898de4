"""A client that a generator made from openapi.json, with no line of ours in it, signs up and chats."""

import importlib
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

API = Path(__file__).resolve().parents[2] / "docs/api"


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The package, importable under its name."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "config.yml").write_text("package_name_override: parley_generated\nproject_name_override: generated\n")
    command = [
        str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--path", str(API / "openapi.json"),
        "--meta", "none", "--config", "config.yml", "--output-path", "parley_generated",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    # A warning is about a call or a body that it left out.
    assert done.returncode == 0 and "WARNING" not in done.stdout + done.stderr, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield lambda path: importlib.import_module(f"parley_generated.{path}")
    sys.path.remove(str(folder))


class Someone:
    """A person who only knows the generated package."""

    def __init__(self, url, generated, name):
        self.url, self.generated, self.models = url, generated, generated("models")
        anonymous = generated("client").Client(base_url=url)
        body = self.models.NewUser(username=name, email=f"{name}@example.org", password="correct horse battery")
        signin = generated("api.accounts.create_user").sync(client=anonymous, body=body)
        assert isinstance(signin, self.models.Signin), signin
        self.id = signin.user.id
        self.client = generated("client").AuthenticatedClient(base_url=url, token=signin.access_token)

    def ask(self, call, *path, **fields):
        """The parsed answer and its status."""
        answer = self.generated(f"api.{call}").sync_detailed(*path, client=self.client, **fields)
        return answer.parsed, answer.status_code


def test_two_people_chat(server, generated):
    models = generated("models")
    ann, bob = (Someone(server.url, generated, name) for name in ("ann", "bob"))
    kind = models.RoomKind.GROUP
    room, status = ann.ask("rooms.create_room", body=models.NewRoom(kind=kind, name="kitchen", member_ids=[bob.id]))
    assert (status, room.name, room.member_count) == (201, "kitchen", 2)

    nonce = str(uuid.uuid4())
    words = models.NewMessage(nonce=nonce, type_=models.MessageType.TEXT, content="Soup is ready")
    message, status = ann.ask("messages.send_message", room.id, body=words)
    assert (status, message.content, message.user_id) == (201, "Soup is ready", ann.id)
    again, status = ann.ask("messages.send_message", room.id, body=words)
    assert (status, again.id) == (200, message.id)
    answer = models.NewMessage(
        nonce=str(uuid.uuid4()), type_=models.MessageType.TEXT, content="Coming", reply_to=message.id
    )
    second, status = bob.ask("messages.send_message", room.id, body=answer)
    assert (status, second.reply_to) == (201, message.id)
    assert ann.ask("messages.add_reaction", room.id, second.id, "👍")[1] == 204
    edited, status = ann.ask("messages.edit_message", room.id, message.id, body=models.MessageChange(content="Ready!"))
    assert (status, edited.content) == (200, "Ready!")

    page, status = bob.ask("messages.list_messages", room.id)
    assert [each.content for each in page.messages] == ["Coming", "Ready!"]
    assert page.messages[0].created_at.tzinfo is not None
    assert [(each.emoji, each.user_ids) for each in page.messages[0].reactions] == [("👍", [ann.id])]
    mine, _ = bob.ask("rooms.list_my_rooms")
    assert [(each.id, each.last_message.id, each.unread_count) for each in mine.rooms] == [(room.id, second.id, 1)]
    assert bob.ask("messages.mark_read", room.id, body=models.ReadMark(message_id=second.id))[1] == 204
    assert bob.ask("members.leave_room", room.id)[1] == 200


def test_errors_come_as_the_documented_problem(server, generated):
    ann = Someone(server.url, generated, "ann")
    problem, status = ann.ask("rooms.get_room", "1")
    assert (status, problem.code) == (404, generated("models").ErrorCode.UNKNOWN_ROOM)
    ann.client = generated("client").AuthenticatedClient(base_url=server.url, token="nonsense")
    problem, status = ann.ask("accounts.get_me")
    assert (status, problem.code) == (401, generated("models").ErrorCode.UNAUTHORIZED)
