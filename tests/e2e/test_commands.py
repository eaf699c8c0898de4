"""The commands beside `serve`: they work on the data folder, also while the server runs on it."""

import json
import subprocess

import pytest

from parley_client import Api, refused
from parley_command import parley
from parley_server import binary

pytestmark = pytest.mark.embedded_only("the command line on the data folder")


def names_in(help_text):
    return [line.split()[0] for line in help_text.splitlines() if line.startswith("  ") and line[2] != " "]


def test_every_command_has_help_with_an_example():
    words = [w for w in names_in(parley("--help").split("Settings:")[0])]
    assert {"serve", "user", "config"} <= set(words)
    for word in words:
        text = parley(word, "--help")
        assert f"parley {word}" in text.split("Example:")[1]
    for second in ("add", "list", "disable", "enable", "reset-password"):
        text = parley("user", second, "--help")
        assert f"parley user {second}" in text.split("Example:")[1]
        assert "--json" in text


@pytest.mark.parametrize(
    "words", [["nonsense"], ["user"], ["user", "add"], ["user", "nonsense"], ["user", "list", "--nonsense"],
              ["completions", "cmd"], ["user", "add", "ann", "--generate"]]
)
def test_wrong_usage_is_2_and_says_what_was_wrong(words, tmp_path):
    done = subprocess.run([str(binary()), *words, "--json"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("parley: ")
    assert json.loads(done.stdout)["error"]["status"] == 2
    assert list(tmp_path.iterdir()) == []


def test_completions_of_bash(tmp_path):
    file = tmp_path / "parley.bash"
    file.write_text(parley("completions", "bash"))

    def complete(*words):
        script = f'. {file}; COMP_WORDS=({" ".join(repr(w) for w in words)}); COMP_CWORD={len(words) - 1}; _parley; ' \
                 'echo "${COMPREPLY[@]}"'
        return subprocess.run(["bash", "-ec", script], capture_output=True, text=True, check=True).stdout.split()

    assert "user" in complete("parley", "") and "--config" not in complete("parley", "")
    assert complete("parley", "user", "dis") == ["disable"]
    assert "--email" in complete("parley", "user", "add", "ann", "--e")
    assert complete("parley", "completions", "z") == ["zsh"]


def test_accounts_before_the_first_start_and_beside_the_server(make_server, tmp_path):
    server = make_server(start=False)
    made = parley("user", "add", "Root", "--email", "root@example.org", "--generate", "--json", data=server.data)
    server.start()
    api = Api(server)

    def log_in(email, password):
        return api.call("POST", "/v1/sessions", json={"email": email, "password": password}).status_code

    assert log_in("root@example.org", made["password"]) == 201

    parley("user", "add", "beside", "--email", "b@example.org", "--password-stdin", data=server.data,
           stdin="a long password\n")
    again = parley("user", "add", "BESIDE", "--email", "c@example.org", "--generate", "--json", data=server.data,
                   expect=1)
    assert "taken" in again["error"]["message"]
    assert log_in("b@example.org", "a long password") == 201
    listed = {user["username"]: user for user in parley("user", "list", "--json", data=server.data)["users"]}
    assert listed["Root"]["sessions"] == 1 and listed["beside"]["id"] != listed["Root"]["id"]
    api.close()


def test_who_is_shut_out_is_out_within_two_seconds(make_server):
    server = make_server()
    ann, bob = server.api.new_user(), server.api.new_user()
    sockets = ann.socket(), bob.socket()
    parley("user", "disable", ann.name, data=server.data)
    made = parley("user", "reset-password", bob.email, "--generate", "--json", data=server.data)
    for user, socket in zip((ann, bob), sockets):
        socket.expect_close(4501, timeout=5)
        refused(user.get("/v1/me"), 401, "session_revoked")
    log_in = {"email": ann.email, "password": ann.password}
    refused(server.api.call("POST", "/v1/sessions", json=log_in), 401, "invalid_credentials")
    parley("user", "enable", ann.id, data=server.data)
    assert server.api.call("POST", "/v1/sessions", json=log_in).status_code == 201
    log_in = {"email": bob.email, "password": made["password"]}
    assert server.api.call("POST", "/v1/sessions", json=log_in).status_code == 201


def test_roles_of_the_server_and_the_last_admin(make_server):
    server = make_server()
    ann, bob = server.api.new_user(), server.api.new_user()
    assert parley("user", "role", ann.name, "admin", "--json", data=server.data)["role"] == "admin"
    for words in (["role", ann.name, "user"], ["disable", ann.name]):
        error = parley("user", *words, "--json", data=server.data, expect=1)["error"]
        assert "admin" in error["message"]
    parley("user", "role", bob.name, "admin", data=server.data)
    parley("user", "role", ann.name, "moderator", data=server.data)
    assert ann.got("/v1/me")["role"] == "moderator"


def test_erase_waits_for_the_servers_receipt(make_server):
    server = make_server()
    ann, bob = server.api.new_user(), server.api.new_user()
    room = bob.room(ann)
    ann.say(room, "mine")
    bob.say(room, "not mine")
    receipt = parley("user", "erase", ann.name, "--yes", "--json", data=server.data)
    assert receipt["user_id"] == ann.id and receipt["done_at"] and receipt["messages"] == 1
    assert sorted(bob.contents(room)) == ["", "not mine"]
    assert parley("user", "erase", ann.id, "--json", data=server.data) == receipt, "the receipt again"
    assert ann.name not in parley("user", "list", data=server.data)


def test_erase_without_a_server_is_done_at_its_next_start(make_server):
    server = make_server()
    ann, bob = server.api.new_user(), server.api.new_user()
    room = bob.room(ann)
    ann.say(room, "mine")
    server.stop()
    done = subprocess.run([str(binary()), "user", "erase", ann.name, "--data", str(server.data)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True)
    assert done.returncode == 1 and "terminal" in done.stderr, "nothing is erased without a word"
    assert "no server runs" in parley("user", "erase", ann.name, "--yes", data=server.data)
    server.start()
    receipt = parley("user", "erase", ann.id, "--json", data=server.data)
    assert receipt["done_at"] and receipt["messages"] == 1
