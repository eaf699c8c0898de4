"""Frames for the sockets, made from the schemas of asyncapi.json: good ones, and ones with exactly one thing wrong.

Everything comes from one seeded random.Random, so a run can be had again: the n-th frame of a seed is always of the
same making (ids and tokens are the server's own and differ).
"""

import json
import random

WORDS = ["soup", "is", "ready", "ça va", "кухня", "日本語", "👍🏽", "مرحبا", "‮rtl", "é", "<b>", "\\", '"', "\t", "😀" * 5]
WRONG_TYPES = [None, True, 0, -1, 1.5, 9007199254740993, "", [], {}, ["a"], {"a": 1}]


class Frame:
    """What is sent. `fault` is None for a frame that the document allows."""

    def __init__(self, name, value=None, raw=None, fault=None, text=True):
        self.name, self.value, self.fault, self.text = name, value, fault, text
        self.raw = raw if raw is not None else json.dumps(value, ensure_ascii=False).encode()

    def __repr__(self):
        return f"{self.name} ({self.fault or 'good'}): {self.raw[:300]!r}"


class Maker:
    """`pool(field)` names real values of a field (ids, tokens), so that frames reach what is behind the door."""

    def __init__(self, document, messages, seed, pool):
        self.document, self.messages, self.pool = document, messages, pool
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def next(self):
        name = self.random.choice(sorted(self.messages))
        schema = self.messages[name]["payload"]
        if self.chance(0.45):
            return Frame(name, self.good(schema))
        if self.chance(0.6):
            return self.broken_field(name, schema)
        return self.broken_text(name, schema)

    # --- good values
    def good(self, schema, field=None):
        schema = self.document.resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        if "anyOf" in schema:
            return self.good(self.random.choice(schema["anyOf"]), field)
        kind = schema.get("type", "object")
        kind = self.random.choice(kind) if isinstance(kind, list) else kind
        if kind == "object":
            return self.good_object(schema)
        if kind == "array":
            return [self.good(schema["items"], field) for _ in range(self.random.randint(0, 3))]
        if kind == "string":
            return self.good_text(schema, field)
        return {"null": None, "boolean": self.chance(0.5), "integer": self.random.randint(0, 2**31)}[kind]

    def good_object(self, schema):
        properties, required = schema.get("properties", {}), set(schema.get("required", []))
        value = {
            name: self.good(inner, name) for name, inner in properties.items() if name in required or self.chance(0.5)
        }
        if self.chance(0.1):  # fields that nobody knows are ignored
            value[f"x_{self.random.randint(0, 99)}"] = self.random.choice(WRONG_TYPES)
        if self.chance(0.2):
            value = dict(self.random.sample(list(value.items()), len(value)))
        return value

    def good_text(self, schema, field):
        known = self.pool(field)
        if known and self.chance(0.85):
            return self.random.choice(known)
        if "pattern" in schema:
            return str(self.random.choice([1, 2, self.random.randrange(1, 2**62), 2**63 - 1]))  # all are of ids
        least, most = schema.get("minLength", 0), schema.get("maxLength", 200)
        if field == "emoji":
            return self.random.choice(["👍", "🍲", "é", "x" * 16, "👩‍🍳"])
        text = " ".join(self.random.choices(WORDS, k=self.random.randint(1, 6)))
        while len(text) < least:
            text += "x"
        text = text[:most]
        while len(text.encode()) > most:  # some bounds are of bytes
            text = text[:-1]
        return text or "x"

    # --- one thing wrong
    def broken_field(self, name, schema):
        schema = self.document.resolve(schema)
        value = self.good_object(schema)
        fields = [each for each in schema["properties"] if each not in ("op", "event_type")]
        required = [each for each in schema.get("required", []) if each in fields]
        if not fields:
            return self.broken_text(name, schema)
        if required and self.chance(0.35):
            field = self.random.choice(required)
            value.pop(field, None)
            return Frame(name, value, fault=f"no {field}")
        field = self.random.choice(fields)
        inner = schema["properties"][field]
        wrong = [each for each in self.wrong_values(inner) if self.document.problems(inner, each)]
        if not wrong:
            return Frame(name, value)
        value[field] = self.random.choice(wrong)
        return Frame(name, value, fault=f"{field} is wrong")

    def wrong_values(self, schema):
        resolved = self.document.resolve(schema)
        most = resolved.get("maxLength", 64)
        return [*WRONG_TYPES, "x" * (most + 1), "-1", "01", "1e3", "1 ", str(2**63), "9" * 30, "TEXT\u0000", "text"]

    def broken_text(self, name, schema):
        good = json.dumps(self.good(schema), ensure_ascii=False)
        ways = {
            "cut off": lambda: good[: self.random.randrange(len(good))],
            "twice": lambda: good + good,
            "a key twice": lambda: '{"op":"ping","op":"ping"}',
            "deep": lambda: '{"op":"ping","x":' + "[" * 1000 + "]" * 1000 + "}",
            "not an object": lambda: self.random.choice(["[]", "7", '"ping"', "null", "true", "", " ", f"[{good}]"]),
            "NaN": lambda: '{"op":"ping","x":NaN}',
            "a huge number": lambda: '{"op":"ping","x":1e999}',
            "a comment": lambda: '{"op":"ping"/**/}',
            "single quotes": lambda: "{'op':'ping'}",
            "half a pair": lambda: '{"op":"ping","ref":"\\ud800"}',
            "U+0000": lambda: '{"op":"ping","ref":"a\\u0000"}',
            "a byte order mark": lambda: "\ufeff" + good,
            "a control": lambda: '{"op":"ping","ref":"a\x01"}',
            "another op": lambda: json.dumps({"op": self.random.choice(["", "Ping", "welcome", "x" * 500, "message"])}),
            "no op": lambda: "{}",
            "op is no text": lambda: json.dumps({"op": self.random.choice([1, None, [], {"op": "ping"}])}),
        }  # fmt: skip
        rare = {
            "not UTF-8": lambda: Frame(name, raw=good.encode()[:-1] + b"\xff\xfe}", fault="not UTF-8"),
            "binary": lambda: Frame(name, raw=good.encode(), fault="binary", text=False),
            "too big": lambda: Frame(name, raw=b'{"op":"ping","x":"' + b"x" * 65536 + b'"}', fault="too big"),
        }
        if self.chance(0.05):
            return rare[self.random.choice(sorted(rare))]()
        fault = self.random.choice(sorted(ways))
        return Frame(name, raw=ways[fault]().encode(errors="surrogatepass"), fault=fault)

    def pieces(self, raw):
        """Sometimes in several fragments."""
        if len(raw) < 2 or not self.chance(0.1):
            return [raw]
        cuts = sorted(self.random.sample(range(1, len(raw)), min(self.random.randint(1, 5), len(raw) - 1)))
        return [raw[i:j] for i, j in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
