#!/usr/bin/env python3
"""Writes docs/api/parley.postman_collection.json from openapi.json and the flow in postman_flow.py.

The document says what each call is, takes and answers; the flow says in which order a collection runner makes the
calls, as whom, and what each must answer. Every call of the document stands in the flow at least once.

    tools/postman.py           writes the file
    tools/postman.py --check   fails when the file is not what would be written
"""

import json
import re
import sys
from pathlib import Path

from postman_flow import FLOW

ROOT = Path(__file__).resolve().parent.parent
API = ROOT / "docs/api"
OUT = API / "parley.postman_collection.json"
METHODS = ("get", "post", "put", "patch", "delete")
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
WORDS_ONLY = {"description", "examples", "example", "title"}


class Document:
    def __init__(self, root):
        self.root = root
        self.calls = {
            item[method]["operationId"]: (method, path, item.get("parameters", []) + item[method].get("parameters", []))
            for path, item in root["paths"].items()
            for method in METHODS
            if method in item
        }

    def resolve(self, node):
        while "$ref" in node:
            found = self.root
            for key in node["$ref"].removeprefix("#/").split("/"):
                found = found[key.replace("~1", "/").replace("~0", "~")]
            node = found
        return node

    def operation(self, name):
        method, path, _ = self.calls[name]
        return self.root["paths"][path][method]

    def scheme(self, name):
        """bearer, classic, ... or None for a call that anybody may make."""
        needed = self.operation(name).get("security", self.root.get("security", []))
        return next(iter(needed[0]), None) if needed else None


def schemas_for_tests(node):
    """The schemas without words, as ajv of the runner takes them."""
    if isinstance(node, list):
        return [schemas_for_tests(each) for each in node]
    if not isinstance(node, dict):
        return node
    out = {}
    for key, value in node.items():
        if key == "properties":
            out[key] = {name: schemas_for_tests(each) for name, each in value.items()}
        elif key not in WORDS_ONLY and key != "format" and not key.startswith("x-"):
            out[key] = schemas_for_tests(value)
    return out


def tests_of(document, step):
    """The script that judges the answer: status, code, form, and what the step expects; then what it keeps."""
    operation = document.operation(step["call"])
    response = document.resolve(operation["responses"][str(step["status"])])
    lines = [f"pm.test('status {step['status']}', () => pm.response.to.have.status({step['status']}));"]
    [(kind, media)] = list(response.get("content", {}).items())[:1] or [(None, None)]
    if kind is None:
        lines.append("pm.test('no body', () => pm.expect(pm.response.text()).to.equal(''));")
    else:
        header = "pm.response.headers.get('Content-Type')"
        lines.append(f"pm.test('is {kind}', () => pm.expect({header}).to.include('{kind}'));")
    if kind and kind.endswith("json"):
        schema = json.dumps(schemas_for_tests(media["schema"]), separators=(",", ":"))
        lines += [
            "const components = JSON.parse(pm.collectionVariables.get('components'));",
            f"pm.test('as documented', () => pm.response.to.have.jsonSchema({{ components, allOf: [{schema}] }}));",
            "const body = pm.response.json();",
        ]
    for what in step.get("expect", []):
        lines.append(f"pm.test({json.dumps(what)}, () => pm.expect({what}).to.equal(true));")
    for variable, path in step.get("keep", {}).items():
        lines.append(f"pm.collectionVariables.set('{variable}', String({path}));")
    return lines


def request_of(document, step):
    method, path, parameters = document.calls[step["call"]]
    operation = document.operation(step["call"])
    values = step.get("path", {})
    segments = [
        re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], f"{{{{{m[1]}}}}}"), part) for part in path.strip("/").split("/")
    ]
    query = [{"key": key, "value": value} for key, value in step.get("query", {}).items()]
    for parameter in map(document.resolve, parameters):
        if parameter["in"] == "query" and parameter["name"] not in step.get("query", {}):
            words = {"description": parameter["description"]} if parameter.get("description") else {}
            value = str(parameter.get("example", parameter["schema"].get("default", "")))
            query.append({"key": parameter["name"], "value": value, "disabled": True, **words})
    raw = "{{base_url}}/" + "/".join(segments)
    live = [f"{each['key']}={each['value']}" for each in query if not each.get("disabled")]
    url = {"raw": raw + ("?" + "&".join(live) if live else ""), "host": ["{{base_url}}"], "path": segments}
    if query:
        url["query"] = query
    request = {"method": method.upper(), "header": [], "url": url, "description": operation.get("description", "")}
    scheme = document.scheme(step["call"])
    token = f"{{{{{step['as']}}}}}" if "as" in step else ""
    if scheme == "bearer" and token:
        request["auth"] = {"type": "bearer", "bearer": [{"key": "token", "value": token, "type": "string"}]}
    else:
        request["auth"] = {"type": "noauth"}
        if scheme and scheme != "bearer" and token:
            request["header"].append({"key": "token", "value": token})
    if "body" in step:
        request["header"].append({"key": "Content-Type", "value": "application/json"})
        text = json.dumps(step["body"], indent=2, ensure_ascii=False)
        request["body"] = {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}
    return request


def answers_of(document, name):
    """Every answer of the document with its example, as saved responses."""
    saved = []
    for status, response in document.operation(name)["responses"].items():
        response = document.resolve(response)
        for kind, media in response.get("content", {}).items():
            examples = {"": media["example"]} if "example" in media else {
                key: document.resolve(each)["value"] for key, each in media.get("examples", {}).items()
            }  # fmt: skip
            for key, value in examples.items():
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                title = f"{status} {key or response['description']}".strip()
                header = [{"key": "Content-Type", "value": kind}]
                saved.append({"name": title, "code": int(status), "header": header, "body": text})
        if "content" not in response:
            saved.append({"name": f"{status} {response['description']}", "code": int(status), "header": [], "body": ""})
    return saved


def item_of(document, step, shown):
    item = {"name": step["name"], "request": request_of(document, step)}
    item["response"] = [] if step["call"] in shown else answers_of(document, step["call"])
    shown.add(step["call"])
    item["event"] = [{"listen": "test", "script": {"type": "text/javascript", "exec": tests_of(document, step)}}]
    if item["request"]["method"] == "GET" and "body" in step:
        item["protocolProfileBehavior"] = {"disableBodyPruning": True}
    return item


def collection():
    document = Document(json.loads((API / "openapi.json").read_text()))
    steps = [step for folder in FLOW for step in folder["steps"]]
    missing = set(document.calls) - {step["call"] for step in steps}
    unknown = {step["call"] for step in steps} - set(document.calls)
    if missing or unknown:
        raise SystemExit(f"postman_flow.py: without {sorted(missing)}; unknown {sorted(unknown)}")
    shown = set()
    info = document.root["info"]
    components = {"schemas": schemas_for_tests_of(document)}
    return {
        "info": {
            "name": info["title"],
            "description": "Made from /openapi.json. Run it whole, in order, against `base_url`: each folder builds on "
            "those before it. Every call carries its documented answers as saved examples.",
            "schema": SCHEMA,
        },
        "variable": [
            {"key": "base_url", "value": "http://localhost:8080"},
            {"key": "components", "value": json.dumps(components, separators=(",", ":"))},
        ],
        "event": [
            {
                "listen": "prerequest",
                "script": {
                    "type": "text/javascript",
                    "exec": [
                        "// Names of this run: a collection can be run again on the same server.",
                        "if (!pm.collectionVariables.get('run'))",
                        "    pm.collectionVariables.set('run', Date.now().toString(36));",
                    ],
                },
            }
        ],
        "item": [
            {
                "name": folder["name"],
                "description": folder.get("description", ""),
                "item": [item_of(document, step, shown) for step in folder["steps"]],
            }
            for folder in FLOW
        ],
    }


def schemas_for_tests_of(document):
    return {name: schemas_for_tests(schema) for name, schema in document.root["components"]["schemas"].items()}


def main():
    text = json.dumps(collection(), indent=1, ensure_ascii=False) + "\n"
    if sys.argv[1:] == ["--check"]:
        if not OUT.exists() or OUT.read_text() != text:
            raise SystemExit(f"{OUT.relative_to(ROOT)} is out of date: run tools/postman.py")
    else:
        OUT.write_text(text)
        print(f"{OUT.relative_to(ROOT)}: {len(text) // 1024} KiB")


if __name__ == "__main__":
    main()
