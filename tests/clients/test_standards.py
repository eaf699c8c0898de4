"""The documents are what their standards say, judged by the programs of those who wrote the standards."""

import json
from pathlib import Path

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import npm

API = Path(__file__).resolve().parents[2] / "docs/api"
ERROR, WARNING = 0, 1


def load(name):
    return json.loads((API / name).read_text())


def test_openapi_is_valid_3_1():
    document = load("openapi.json")
    assert document["openapi"].startswith("3.1.")
    errors = OpenAPIV31SpecValidator(document).iter_errors()
    assert [f"{'/'.join(map(str, each.absolute_path))}: {each.message}" for each in errors] == []


def test_asyncapi_is_valid_3():
    done = npm.node("check_asyncapi.mjs", API / "asyncapi.json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    serious = [each for each in found["diagnostics"] if each["severity"] <= WARNING]
    assert serious == []
    assert "/v1/ws" in found["channels"]


def with_schemas(document, schema):
    """A schema of a document, standing alone: references into the document still lead somewhere."""
    root = {key: value for key, value in document.items() if key.startswith("x-") or key in ("components", "channels")}
    return {**root, "$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema]}


def examples_of(document, node, at="#"):
    """(where, schema, value) of each media type, parameter, header, message and schema that has examples."""
    if isinstance(node, list):
        for i, each in enumerate(node):
            yield from examples_of(document, each, f"{at}/{i}")
    if not isinstance(node, dict):
        return
    schema = node.get("schema", node.get("payload"))
    if isinstance(schema, dict):
        if "example" in node:
            yield at, schema, node["example"]
        examples = node.get("examples", {})
        for each in examples.values() if isinstance(examples, dict) else examples:
            each = resolve(document, each)
            yield at, schema, each.get("value", each.get("payload"))
    elif ("type" in node or "$ref" in node) and isinstance(node.get("examples"), list):
        yield from ((at, node, value) for value in node["examples"])
    for key, each in node.items():
        if key not in ("example", "examples"):
            yield from examples_of(document, each, f"{at}/{key}")


def resolve(document, node):
    while "$ref" in node:
        found = document
        for key in node["$ref"].removeprefix("#/").split("/"):
            found = found[key.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_each_example_fits_its_schema(name):
    document = load(name)
    checked, wrong = 0, []
    for at, schema, value in examples_of(document, document):
        validator = jsonschema.Draft202012Validator(
            with_schemas(document, schema), format_checker=jsonschema.FormatChecker(["date-time", "email"])
        )
        wrong += [f"{at}: {error.message}" for error in validator.iter_errors(value)]
        checked += 1
    assert wrong == []
    assert checked > 20


def test_what_a_client_needs_is_there():
    """Each call has a name, words, an example of each body both ways, and each parameter a meaning."""
    document = load("openapi.json")
    wrong = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            name = f"{method} {path}"
            needed = ("operationId", "summary", "description", "tags")
            wrong += [f"{name}: no {key}" for key in needed if not operation.get(key)]
            bodies = [("body", operation["requestBody"])] if "requestBody" in operation else []
            for where, node in bodies + list(operation["responses"].items()):
                node = resolve(document, node)
                for kind, media in node.get("content", {}).items():
                    if not ("example" in media or media.get("examples")):
                        wrong.append(f"{name}: {where} has no example of {kind}")
            for parameter in item.get("parameters", []) + operation.get("parameters", []):
                parameter = resolve(document, parameter)
                if not parameter.get("description"):
                    wrong.append(f"{name}: {parameter['name']} is not described")
    names = [item[m]["operationId"] for item in document["paths"].values() for m in item if m != "parameters"]
    wrong += [f"{each} is the name of two calls" for each in set(names) if names.count(each) > 1]
    assert wrong == []
