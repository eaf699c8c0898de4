"""Reads the API documents, and holds values to their schemas.

The checker is strict: a field that is not documented is a failure, as is a missing one.
"""

import json
import re

METHODS = ("get", "post", "put", "patch", "delete")


class Document:
    def __init__(self, text):
        self.root = json.loads(text)

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            found = self.root
            for key in node["$ref"].removeprefix("#/").split("/"):
                found = found[key.replace("~1", "/").replace("~0", "~")]
            node = found
        return node

    def problems(self, schema, value, at="value"):
        """What is wrong with a value; an empty list when nothing is."""
        schema = self.resolve(schema)
        wrong = []
        if "allOf" in schema:
            merged = {"type": "object", "required": [], "properties": {}}
            for part in map(self.resolve, schema["allOf"]):
                merged["required"] += part.get("required", [])
                merged["properties"] |= part.get("properties", {})
            return self.problems(merged, value, at)
        for choice in ("anyOf", "oneOf"):
            if choice in schema and "properties" not in schema:
                tries = [self.problems(each, value, at) for each in schema[choice]]
                return [] if [] in tries else min(tries, key=len)
        if "const" in schema and value != schema["const"]:
            wrong.append(f"{at}: {value!r} is not {schema['const']!r}")
        if "enum" in schema and value not in schema["enum"]:
            wrong.append(f"{at}: {value!r} is none of {schema['enum']}")
        if "type" in schema and not any(self.fits(t, value) for t in as_list(schema["type"])):
            return [*wrong, f"{at}: {value!r} is no {schema['type']}"]
        if isinstance(value, str):
            wrong += self.text_problems(schema, value, at)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                wrong.append(f"{at}: {value} is out of range")
        elif isinstance(value, list):
            if len(value) > schema.get("maxItems", len(value)):
                wrong.append(f"{at}: {len(value)} entries")
            for i, each in enumerate(value):
                wrong += self.problems(schema.get("items", {}), each, f"{at}[{i}]")
        elif isinstance(value, dict) and "properties" in schema:
            wrong += [f"{at}: no {name}" for name in schema.get("required", []) if name not in value]
            for name, each in value.items():
                if name not in schema["properties"]:
                    wrong.append(f"{at}: {name} is not documented")
                else:
                    wrong += self.problems(schema["properties"][name], each, f"{at}.{name}")
        return wrong

    @staticmethod
    def text_problems(schema, value, at):
        wrong = []
        if "pattern" in schema and not re.search(schema["pattern"], value):
            wrong.append(f"{at}: {value!r} does not fit {schema['pattern']}")
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            wrong.append(f"{at}: {len(value)} characters")
        if schema.get("format") == "date-time":
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value):
                wrong.append(f"{at}: {value!r} is no time")
        return wrong

    @staticmethod
    def fits(name, value):
        kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
        if name in ("integer", "number"):
            return isinstance(value, int) and not isinstance(value, bool)
        return isinstance(value, kinds[name])


def as_list(value):
    return value if isinstance(value, list) else [value]


def operations(document):
    """(method, path) -> operation, of OpenAPI."""
    return {
        (method, path): item[method]
        for path, item in document.root["paths"].items()
        for method in METHODS
        if method in item
    }


def messages_of(document, action, channel="socket"):
    """Key -> message, of AsyncAPI: what a channel's server is to `receive`, or what it may `send`."""
    return {
        ref["$ref"].split("/")[-1]: document.resolve(ref)
        for operation in document.root["operations"].values()
        if operation["action"] == action
        and operation["channel"]["$ref"] == f"#/channels/{channel}"
        for ref in operation["messages"]
    }
