# SPDX-License-Identifier: Apache-2.0
"""The vendors' own schemas as a judge: validate("chat", "reply", value) -> list of problems.

OpenAI and Anthropic publish OpenAPI files, Google a discovery document. A small subset of JSON
Schema is enough for them. Stricter than these documents in one way: a key that no branch of a
schema names is a problem, unless the schema allows further keys in so many words.
"""
import functools
import hashlib
import json
import math
import os
import re
import tempfile

try:
    import yaml
except ImportError:
    yaml = None

from tests.peer import recordings

FOLDER = os.path.join(recordings.SHARED, "specs")
CACHE_VERSION = 1       # of the compacted form
PROBLEMS_MAX = 40       # of one value
WRONG_KIND = 1000       # a branch of another type is never the one that was meant

OPENAI, ANTHROPIC, GOOGLE = "openai/openapi.yml", "anthropic/openapi.yml", "google/discovery.json"
ROOTS = {
    ("chat", "request"): (OPENAI, "CreateChatCompletionRequest"),
    ("chat", "reply"): (OPENAI, "CreateChatCompletionResponse"),
    ("chat", "event"): (OPENAI, "CreateChatCompletionStreamResponse"),
    ("responses", "request"): (OPENAI, "CreateResponse"),
    ("responses", "reply"): (OPENAI, "Response"),
    ("responses", "event"): (OPENAI, "ResponseStreamEvent"),
    ("messages", "request"): (ANTHROPIC, "CreateMessageParams"),
    ("messages", "reply"): (ANTHROPIC, "Message"),
    ("messages", "event"): (ANTHROPIC, "MessageStreamEvent"),
    ("messages", "beta request"): (ANTHROPIC, "BetaCreateMessageParams"),
    ("messages", "beta reply"): (ANTHROPIC, "BetaMessage"),
    ("messages", "beta event"): (ANTHROPIC, "BetaMessageStreamEvent"),
    ("messages", "error"): (ANTHROPIC, "ErrorResponse"),
    ("gemini", "request"): (GOOGLE, "GenerateContentRequest"),
    ("gemini", "reply"): (GOOGLE, "GenerateContentResponse"),
    ("gemini", "event"): (GOOGLE, "GenerateContentResponse"),
}
KEPT = {"type", "properties", "required", "items", "enum", "const", "anyOf", "oneOf", "allOf",
        "additionalProperties", "nullable", "minimum", "maximum", "exclusiveMinimum",
        "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "format",
        "default", "maxProperties"}
ANY_TEXT = {"type": "object", "required": ["type", "text"], "additionalProperties": False,
            "properties": {"type": {"const": "output_text"}, "text": {"type": "string"},
                           "annotations": {"type": "array"}, "logprobs": {"type": "array"}}}
ASSISTANT = {"type": "object", "required": ["role", "content"], "additionalProperties": False,
             "properties": {"type": {"const": "message"}, "role": {"const": "assistant"},
                            "id": {"type": "string"}, "status": {"type": "string"},
                            "phase": {"type": "string"},
                            "content": {"type": "array", "items": {
                                "anyOf": [ANY_TEXT, {"$ref": "RefusalContent"}]}}}}
PING = {"type": "object", "properties": {"type": {"const": "ping"}}, "required": ["type"],
        "additionalProperties": False}


def _also(*branches):
    return lambda schema: schema.setdefault("anyOf", []).extend(branches)


# Where a document is behind its vendor. The reason stands beside each.
PATCHES = {
    # Documented in prose only.
    (ANTHROPIC, "MessageStreamEvent"): _also(PING, {"$ref": "ErrorResponse"}),
    (ANTHROPIC, "BetaMessageStreamEvent"): _also(PING, {"$ref": "ErrorResponse"}),
    # A set of sampled model names beside any string.
    (OPENAI, "ModelIdsShared"): lambda s: (s.clear(), s.update(type="string")),
    (OPENAI, "ModelIdsResponses"): lambda s: (s.clear(), s.update(type="string")),
    # Null in every answer that has not failed.
    (OPENAI, "ResponseError"): lambda s: s.update(nullable=True),
    # An assistant's past words are taken with and without id, status and annotations.
    (OPENAI, "InputItem"): _also(ASSISTANT),
}


def available():
    return (os.path.exists(os.path.join(FOLDER, OPENAI)) and yaml is not None)


ABSENT = "the schemas (../shared/specs) or python3-yaml are not here"


# Loading and compacting

def _compact(node):
    """Only the keywords that are judged, and names instead of paths."""
    if isinstance(node, list):
        return [_compact(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$recursiveRef" in node:
        return {}
    out = {}
    if isinstance(node.get("$ref"), str):
        out["$ref"] = node["$ref"].rpartition("/")[2]
    for key, value in node.items():
        if key not in KEPT:
            continue
        if key == "properties":
            out[key] = {name: _compact(schema) for name, schema in value.items()}
        elif key in ("enum", "const", "required", "default"):
            out[key] = value
        elif key == "oneOf":
            out.setdefault("anyOf", []).extend(_compact(value))
        elif key == "anyOf":
            out.setdefault("anyOf", []).extend(_compact(value))
        else:
            out[key] = _compact(value)
    if out.get("type") == "any":
        del out["type"]
    return out


def _names(node):
    """The names that a compacted schema refers to."""
    if isinstance(node, list):
        for item in node:
            yield from _names(item)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _names(value)


def _read(file):
    path = os.path.join(FOLDER, file)
    with open(path, encoding="utf-8") as text:
        if file.endswith(".json"):
            return json.load(text)["schemas"]
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return yaml.load(text, Loader=loader)["components"]["schemas"]


def _build(file):
    raw = _read(file)
    wanted = [name for where, name in ROOTS.values() if where == file]
    schemas = {}
    while wanted:
        name = wanted.pop()
        if name in schemas:
            continue
        # Google's document refers to one that it does not hold: anything goes there.
        schemas[name] = _compact(raw.get(name, {}))
        if (file, name) in PATCHES:
            PATCHES[file, name](schemas[name])
        wanted.extend(_names(schemas[name]))
    return schemas


@functools.lru_cache(None)
def _schemas(file):
    """The schemas of a document, from a file in the temporary folder where one is fresh."""
    path = os.path.join(FOLDER, file)
    stat = os.stat(path)
    with open(__file__, "rb") as own:
        key = hashlib.sha256(own.read() + f"{os.path.abspath(path)} {stat.st_mtime_ns}"
                             f" {stat.st_size} {CACHE_VERSION}".encode()).hexdigest()[:16]
    kept = os.path.join(tempfile.gettempdir(), f"entrepot-spec-{os.getuid()}-{key}.json")
    try:
        with open(kept, encoding="utf-8") as text:
            return json.load(text)
    except (OSError, ValueError):
        schemas = _build(file)
    with tempfile.NamedTemporaryFile("w", dir=tempfile.gettempdir(), delete=False) as out:
        json.dump(schemas, out, default=str)
    os.replace(out.name, kept)
    return schemas


# Judging

ALL = None      # instead of a set of keys: every key of the object has been judged
TYPES = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}


def _is_type(value, name, schema):
    if name == "integer":
        return type(value) is int
    if name == "number":
        return type(value) in (int, float) and math.isfinite(value)
    if name == "string" and schema.get("format") in ("int64", "uint64") and type(value) is int:
        return True     # Google writes them as text and reads both
    return isinstance(value, TYPES[name])


def _literal(schema):
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum")


class _Judge:
    def __init__(self, schemas, lax_required):
        self.schemas = schemas
        self.lax_required = lax_required    # a required key that has a default may be absent

    def resolve(self, schema):
        while "$ref" in schema:
            target = self.schemas[schema["$ref"]]
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            if rest.get("nullable"):
                return {"anyOf": [target, {"type": "null"}]}
            schema = target
        return schema

    def value(self, schema, value, path):
        """Problems of a value, unknown keys among them."""
        known, problems = self.node(schema, value, path)
        if isinstance(value, dict) and known is not ALL:
            problems += [f"{path}.{key}: unknown key" for key in value if key not in known]
        return problems[:PROBLEMS_MAX]

    def node(self, schema, value, path):
        """(the keys that the schema knows or ALL, problems but for unknown keys)"""
        schema = self.resolve(schema)
        if value is None and schema.get("nullable"):
            return ALL, []
        problems = self._simple(schema, value, path)
        if problems:
            return ALL, problems
        known = set()
        judged = False
        if isinstance(value, dict) and (schema.get("properties") or
                                        "additionalProperties" in schema):
            judged = True
            known, problems = self._object(schema, value, path)
        if isinstance(value, list) and "items" in schema:
            for number, item in enumerate(value):
                problems += self.value(schema["items"], item, f"{path}[{number}]")
        for part in schema.get("allOf", ()):
            judged = True
            more, found = self.node(part, value, path)
            problems += found
            known = ALL if known is ALL or more is ALL else known | more
        if "anyOf" in schema:
            judged = True
            more, found = self._best(schema["anyOf"], value, path)
            problems += found
            known = ALL if known is ALL or more is ALL else known | more
        return (known if judged else ALL), problems

    def _simple(self, schema, value, path):
        """Type, literals and bounds."""
        kinds = schema.get("type")
        if isinstance(kinds, str):
            kinds = [kinds]
        if kinds and not any(_is_type(value, kind, schema) for kind in kinds):
            return [f"{path}: {_show(value)} is no {'|'.join(kinds)}"]
        literal = _literal(schema)
        if literal is not None and value not in literal:
            return [f"{path}: {_show(value)} is none of {_show(literal)}"]
        problems = []
        if isinstance(value, str):
            problems += self._text(schema, value, path)
        elif type(value) in (int, float):
            problems += _number(schema, value, path)
        elif isinstance(value, list):
            if len(value) < schema.get("minItems", 0):
                problems.append(f"{path}: fewer than {schema['minItems']} items")
            if len(value) > schema.get("maxItems", math.inf):
                problems.append(f"{path}: more than {schema['maxItems']} items")
        elif isinstance(value, dict) and len(value) > schema.get("maxProperties", math.inf):
            problems.append(f"{path}: more than {schema['maxProperties']} keys")
        return problems

    @staticmethod
    def _text(schema, value, path):
        problems = []
        if len(value) < schema.get("minLength", 0):
            problems.append(f"{path}: shorter than {schema['minLength']}")
        if len(value) > schema.get("maxLength", math.inf):
            problems.append(f"{path}: longer than {schema['maxLength']}")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            problems.append(f"{path}: {_show(value)} does not match {schema['pattern']}")
        if schema.get("format") == "byte" and not re.fullmatch(r"[A-Za-z0-9+/_-]*={0,2}", value):
            problems.append(f"{path}: is no base64")
        return problems

    def _object(self, schema, value, path):
        properties = schema.get("properties", {})
        problems = []
        for key in schema.get("required", ()):
            if key in value:
                continue
            if self.lax_required and "default" in self.resolve_with_default(properties.get(key)):
                continue
            problems.append(f"{path}.{key}: missing")
        for key, item in value.items():
            if key in properties:
                problems += self.value(properties[key], item, f"{path}.{key}")
        more = schema.get("additionalProperties")
        if more is None:
            return set(properties), problems
        rest = [key for key in value if key not in properties]
        if more is False:
            problems += [f"{path}.{key}: unknown key" for key in rest]
        elif isinstance(more, dict) and more:
            for key in rest:
                problems += self.value(more, value[key], f"{path}.{key}")
        return ALL, problems

    def resolve_with_default(self, schema):
        if not schema:
            return {}
        return schema if "default" in schema else self.resolve(schema)

    def _tag(self, schema):
        """The values that an object's `type` may have in this branch; None: any, or none needed."""
        schema = self.resolve(schema)
        literal = _literal(self.resolve(schema.get("properties", {}).get("type", {})))
        for part in schema.get("allOf", ()):
            literal = literal or self._tag(part)
        if literal is None and schema.get("anyOf"):
            inner = [self._tag(part) for part in schema["anyOf"]]
            if all(inner):
                literal = [tag for tags in inner for tag in tags]
        return literal

    def _best(self, branches, value, path):
        """The branch with the fewest problems."""
        if isinstance(value, dict) and isinstance(value.get("type"), str):
            tagged = [(branch, self._tag(branch)) for branch in branches]
            fits = [b for b, tag in tagged if tag and value["type"] in tag]
            fits = fits or [b for b, tag in tagged if tag is None]
            if not fits:
                return ALL, [f"{path}: type {_show(value['type'])} is not known here"]
            branches = fits
        best = None
        for branch in branches:
            known, problems = self.node(branch, value, path)
            unknown = 0
            if isinstance(value, dict) and known is not ALL:
                unknown = sum(key not in known for key in value)
            score = len(problems) + unknown
            if self._simple(self.resolve(branch), value, path):
                score += WRONG_KIND
            if best is None or score < best[0]:
                best = score, known, problems
            if score == 0:
                break
        return best[1], best[2]


def _number(schema, value, path):
    problems = []
    if value < schema.get("minimum", -math.inf):
        problems.append(f"{path}: {value} is below {schema['minimum']}")
    if value > schema.get("maximum", math.inf):
        problems.append(f"{path}: {value} is above {schema['maximum']}")
    if schema.get("format") == "int32" and not -2**31 <= value < 2**31:
        problems.append(f"{path}: {value} is no int32")
    return problems


def _show(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 70 else text[:66] + " ..."


# Keys that no schema has and that are still no fault in what the station itself writes.
EXTRAS = [
    ("chat", r"\.delta\.annotations: unknown key",
     "as OpenAI's own search models stream them"),
    ("chat", r"\.(message|delta)\.(reasoning_content|reasoning|reasoning_details): unknown key",
     "how hosts that speak chat completions show reasoning"),
    ("chat", r"\.tool_calls\[\d+\]\.extra_content: unknown key",
     "Google's own form of a thought signature in this dialect"),
    ("chat", r"\.messages\[\d+\]\.(reasoning_content|reasoning_details): unknown key",
     "reasoning that has to come back to the host that made it"),
    ("responses", r"\$(\.response)?\.(store|frequency_penalty|presence_penalty): unknown key",
     "settings are echoed; OpenAI's own answers have these three, too"),
    ("responses", r"(\.item|output\[\d+\]|input\[\d+\])\.status: unknown key",
     "OpenAI's custom calls have a status like all others"),
    ("responses", r"\$(\.response)?\.(user|safety_identifier|prompt_cache_key|usage|service_tier): "
     "null is no", "OpenAI's own answers say null for what is not set"),
]

# What the recorded vendors say, and their schemas do not know (yet). Only for recordings.
LAGS = [
    ("chat", "event", r"\$\.obfuscation: unknown", "padding against guesses at lengths"),
    ("chat", "", r"\$\.system_fingerprint: null", "no fingerprint is said as null"),
    ("chat", "reply", r"\.logprobs: missing", "older answers have no such key"),
    ("chat", "request", r"\.cache_control: unknown", "Anthropic's, through compatible hosts"),
    ("chat", "request", r"\.messages\[\d+\]\.(annotations|refusal)", "an answer sent back whole"),
    ("responses", "", r"\.cache_write_tokens: missing", "newer than most recordings"),
    ("responses", "", r"(\.billing|\.tool_usage|\.obfuscation): unknown", "not documented"),
    ("responses", "reply", r"\.content\[\d+\]\.logprobs: missing", "older answers have none"),
    ("responses", "", r"\.text\.format\.description: null", "not set, said as null"),
    ("responses", "event", r"\.logprobs\[\d+\](\.top_logprobs\[\d+\])?\.bytes: unknown",
     "the event's schema is shorter than the item's"),
    ("gemini", "request", r"\.[a-z]+(_[a-z]+)+: unknown", "Google reads both spellings"),
    ("gemini", "", r"(\.usageMetadata\.trafficType|\.createTime|\.promptTokenDetails): unknown",
     "Vertex, and newer than the document"),
    ("messages", "", r"\.usage\.iterations", "newer than the document"),
]


def is_extra(dialect, problem):
    return any(where == dialect and re.search(words, problem) for where, words, _ in EXTRAS)


def is_lag(dialect, what, problem):
    return any(where == dialect and kind in ("", what) and re.search(words, problem)
               for where, kind, words, _ in LAGS)


def validate(dialect, what, value, beta=True):
    """What the vendor's own schema has against a request, a whole reply or a stream's event.

    `beta`: the Messages request may use what Anthropic still calls beta.
    """
    file, name = ROOTS[dialect, what]
    judge = _Judge(_schemas(file), lax_required=what != "request")
    problems = judge.value({"$ref": name}, value, "$")
    if problems and beta and (dialect, "beta " + what) in ROOTS:
        other = judge.value({"$ref": ROOTS[dialect, "beta " + what][1]}, value, "$")
        problems = min(problems, other, key=len)
    return [problem for problem in problems if not is_extra(dialect, problem)]
