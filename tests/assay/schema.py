# SPDX-License-Identifier: Apache-2.0
"""As much of JSON Schema as docs/assay.schema.json uses; an unknown keyword is an error."""
import re

KNOWN = {"$schema", "$defs", "title", "description", "$ref", "type", "required", "properties",
         "additionalProperties", "items", "enum", "const", "minimum", "maximum", "minItems",
         "maxItems", "pattern"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float)}


def problems(schema, value, root=None, path="$"):
    root = root or schema
    unknown = set(schema) - KNOWN
    assert not unknown, f"this judge does not know {unknown}"
    if "$ref" in schema:
        where = root
        for part in re.findall(r"[^/#]+", schema["$ref"]):
            where = where[part]
        yield from problems(where, value, root, path)
    if "type" in schema and (not isinstance(value, TYPES[schema["type"]])
                             or isinstance(value, bool)):
        yield f"{path}: no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{path}: {value!r} is not {schema['const']!r}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} is not of the form {schema['pattern']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{path}: {value} is too small"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{path}: {value} is too large"
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{path}: {len(value)} items"
        for i, item in enumerate(value):
            yield from problems(schema.get("items", {}), item, root, f"{path}[{i}]")
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{path}: no {name}"
        rest = schema.get("additionalProperties", True)
        for name, item in value.items():
            inner = schema.get("properties", {}).get(name, rest)
            if inner is False:
                yield f"{path}: {name} has no place"
            elif inner is not True:
                yield from problems(inner, item, root, f"{path}.{name}")
