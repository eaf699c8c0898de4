"""The checker itself: each planted fault turns exactly its verdict red."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).resolve().parent / "check.py"
ROOM, OTHER_ROOM, USER = "10", "20", "7"


def good_run():
    """Two senders, two observers, one room; the second sender's last message stays unknown."""
    files = {"a": [], "b": [], "first": [], "second": [], "history": []}
    for observer in ("first", "second"):
        files[observer].append({"e": "start", "room": ROOM, "since": "100"})
    prev_id = "100"
    for i in range(10):
        sender, content, id = "ab"[i % 2], f"{'ab'[i % 2]} {i}", str(101 + i)
        send = {"e": "send", "room": ROOM, "user": USER, "nonce": f"n{i}", "content": content}
        files[sender].append(send)
        ok = {"e": "ok", "room": ROOM, "nonce": f"n{i}", "id": id, "prev_id": prev_id}
        files[sender].append(ok)
        saw = {"room": ROOM, "id": id, "prev_id": prev_id, "user": USER, "content": content}
        for observer in ("first", "second"):
            files[observer].append({"e": "saw", **saw})
        files["history"].append({"room": ROOM, "id": id, "user": USER, "content": content})
        prev_id = id
    unknown = {"e": "send", "room": ROOM, "user": USER, "nonce": "n10", "content": "b 10"}
    files["b"].append(unknown)
    return files


def verdicts(files, folder):
    for name, facts in files.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(f) + "\n" for f in facts))
    done = subprocess.run([sys.executable, CHECK, folder], capture_output=True, text=True)
    summary = json.loads(done.stdout)
    red = {v for v in ("lost", "doubled", "reordered", "invented", "missed") if summary[v]}
    assert (done.returncode == 0) == (not red), done.stderr
    return red


def row(files, name, **wanted):
    return next(f for f in files[name] if all(f.get(k) == v for k, v in wanted.items()))


def forget(files, id):
    """Takes a message out of what everybody saw, and closes the gap in their chains."""
    prev_id = row(files, "first", id=id)["prev_id"]
    for name in ("first", "second"):
        files[name].remove(row(files, name, id=id))
    for facts in files.values():
        for fact in facts:
            if fact.get("prev_id") == id:
                fact["prev_id"] = prev_id
    files["history"].remove(row(files, "history", id=id))


def lost_by_history(files):
    forget(files, "105")


def lost_after_it_was_seen(files):
    """Never acknowledged, but shown to somebody, and gone."""
    row(files, "b", nonce="n9", e="ok")["e"] = "none"
    files["history"].remove(row(files, "history", id="110"))


def acknowledged_for_another_text(files):
    row(files, "a", nonce="n4", e="ok")["nonce"] = "n6"
    files["a"].remove(row(files, "a", nonce="n6", e="ok", id="107"))


def doubled_in_history(files):
    twin = copy.deepcopy(row(files, "history", id="110"))
    twin["id"] = "111"
    files["history"].append(twin)
    for name in ("first", "second"):
        saw = {**row(files, name, id="110"), "id": "111", "prev_id": "110"}
        files[name].append(saw)


def doubled_on_a_socket(files):
    files["first"].append(copy.deepcopy(row(files, "first", id="104")))


def acknowledged_under_two_ids(files):
    files["a"].append({**row(files, "a", nonce="n0", e="ok"), "id": "103", "prev_id": "102"})


def reordered_on_a_socket(files):
    facts = files["second"]
    facts[4], facts[5] = facts[5], facts[4]


def reordered_in_history(files):
    facts = files["history"]
    facts[4], facts[6] = facts[6], facts[4]


def one_senders_order_is_broken(files):
    """Ids are in order, but the sender had sent them the other way round."""
    facts = files["a"]
    sends = [f for f in facts if f["e"] == "send"]
    facts.remove(sends[0])
    facts.append(sends[0])


def a_chain_that_skips(files):
    row(files, "b", nonce="n5", e="ok")["prev_id"] = "104"


def invented_in_history(files):
    files["history"].append({"room": ROOM, "id": "111", "user": USER, "content": "from nowhere"})
    for name in ("first", "second"):
        files[name].append(
            {**row(files, name, id="110"), "id": "111", "prev_id": "110", "content": "from nowhere"}
        )


def invented_on_a_socket(files):
    row(files, "first", id="106")["content"] = "from nowhere"


def of_another_sender(files):
    row(files, "second", id="106")["user"] = "8"


def of_another_room(files):
    row(files, "second", id="106")["room"] = OTHER_ROOM


def refused_and_yet_there(files):
    row(files, "a", nonce="n8", e="ok").update(e="refused", code="forbidden")


def missed_in_the_middle(files):
    files["first"].remove(row(files, "first", id="105"))


def missed_at_the_end(files):
    files["second"].remove(row(files, "second", id="110"))


FAULTS = [
    (lost_by_history, "lost"),
    (lost_after_it_was_seen, "lost"),
    (acknowledged_for_another_text, "lost"),
    (doubled_in_history, "doubled"),
    (doubled_on_a_socket, "doubled"),
    (acknowledged_under_two_ids, "doubled"),
    (reordered_on_a_socket, "reordered"),
    (reordered_in_history, "reordered"),
    (one_senders_order_is_broken, "reordered"),
    (a_chain_that_skips, "reordered"),
    (invented_in_history, "invented"),
    (invented_on_a_socket, "invented"),
    (of_another_sender, "invented"),
    (of_another_room, "invented"),
    (refused_and_yet_there, "invented"),
    (missed_in_the_middle, "missed"),
    (missed_at_the_end, "missed"),
]


def test_a_good_run_is_green(tmp_path):
    assert verdicts(good_run(), tmp_path) == set()


def test_an_unknown_send_may_be_there(tmp_path):
    files = good_run()
    files["history"].append({"room": ROOM, "id": "111", "user": USER, "content": "b 10"})
    for name in ("first", "second"):
        files[name].append(
            {**row(files, name, id="110"), "id": "111", "prev_id": "110", "content": "b 10"}
        )
    assert verdicts(files, tmp_path) == set()


def test_what_was_put_off_may_come_later_than_what_was_sent_after_it(tmp_path):
    files = good_run()
    one_senders_order_is_broken(files)
    late = files["a"][-1]["nonce"]
    files["a"].append({"e": "again", "room": ROOM, "nonce": late, "code": "unavailable"})
    assert verdicts(files, tmp_path) == set()


def test_a_run_without_anything_is_not_green(tmp_path):
    done = subprocess.run([sys.executable, CHECK, tmp_path], capture_output=True)
    assert done.returncode != 0


@pytest.mark.parametrize("fault, verdict", FAULTS, ids=lambda f: getattr(f, "__name__", f))
def test_each_fault_turns_its_verdict_red(tmp_path, fault, verdict):
    files = good_run()
    fault(files)
    assert verdicts(files, tmp_path) == {verdict}
