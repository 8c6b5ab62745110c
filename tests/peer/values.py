# SPDX-License-Identifier: Apache-2.0
"""The pieces of meaning.py: what a request is made of, and values of one spelling."""
import base64
import copy
import dataclasses
import json
import re

from tests.peer import meter


@dataclasses.dataclass
class Item:
    """A piece of the conversation. `what` says which kind: text, system, image, file, audio, call,
    result, reasoning, opaque, refusal, other."""
    what: str
    role: str
    value: object
    path: str
    call: int = None        # the number of the call that this is, or is the result of
    failed: bool = False    # a result that is an error

    @property
    def key(self):
        return json.dumps([self.what, self.role, self.value, self.call], sort_keys=True)


@dataclasses.dataclass
class Tool:
    name: str
    path: str
    description: str = None
    schema: dict = None
    strict: bool = None
    kind: str = "function"      # or "custom", or the vendor's own type


@dataclasses.dataclass
class Request:
    dialect: str
    items: list = dataclasses.field(default_factory=list)
    tools: list = dataclasses.field(default_factory=list)
    settings: dict = dataclasses.field(default_factory=dict)    # name -> (value, path)
    extras: dict = dataclasses.field(default_factory=dict)      # path -> value
    faults: list = dataclasses.field(default_factory=list)      # what no vendor would take

    def get(self, name):
        return self.settings.get(name, (None, None))[0]


@dataclasses.dataclass
class Reply:
    dialect: str
    parts: list = dataclasses.field(default_factory=list)   # (what, value) in order
    finish: str = None
    usage: meter.Usage = None
    model: str = None

    def all(self, what):
        return [value for kind, value in self.parts if kind == what]

    @property
    def text(self):
        return "".join(self.all("text"))

    @property
    def reasoning(self):
        return "\n".join(self.all("reasoning"))

    @property
    def order(self):
        """The kinds of parts, neighbours of a kind as one."""
        kinds = [kind for kind, value in self.parts
                 if kind in ("text", "call", "reasoning") and value]
        return [k for n, k in enumerate(kinds) if n == 0 or kinds[n - 1] != k]


# Values

def arguments(text):
    """Arguments as a value; text that is no JSON stays text."""
    if not isinstance(text, str):
        return {} if text is None else text
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def blob(mime, data):
    """Base64 in either alphabet as its bytes' text in one."""
    try:
        plain = base64.b64decode(data.replace("-", "+").replace("_", "/") + "==")
        return ["data", mime, base64.b64encode(plain).decode()]
    except (ValueError, AttributeError):
        return ["data", mime, data]


def link(url):
    """An URL, or a data URL as its blob."""
    found = re.match(r"data:([^;,]*)(?:;[^,]*)?,(.*)", url or "", re.DOTALL)
    return blob(found[1], found[2]) if found else ["url", url]


NUMBERS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


SNAKE = {re.sub("[A-Z]", lambda m: "_" + m[0].lower(), name): name for name in (
    *NUMBERS, "anyOf", "oneOf", "allOf", "prefixItems", "additionalProperties",
    "propertyOrdering")}


def schema(value):
    """A schema in one spelling: types in small letters, numbers as numbers, nullable as a type; an
    order of properties is theirs."""
    if isinstance(value, list):
        return [schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        key = SNAKE.get(key, key)       # Google reads both spellings
        if key in ("properties", "$defs", "definitions", "patternProperties") \
                and isinstance(item, dict):
            out[key] = {name: schema(inner) for name, inner in item.items()}
        elif key == "propertyOrdering":
            continue
        elif key == "type" and isinstance(item, str):
            out[key] = item.lower()
        elif key in NUMBERS and isinstance(item, str) and item.isdigit():
            out[key] = int(item)
        elif key in ("enum", "const", "default", "example", "required", "examples"):
            out[key] = item
        else:
            out[key] = schema(item)
    if out.pop("nullable", False) and isinstance(out.get("type"), str):
        out["type"] = [out["type"], "null"]
    return out


def tool_schema(value):
    """No parameters, null, and an object without properties are the same."""
    value = schema(value)
    if not value or value.get("type") == "object" and not value.get("properties") \
            and not set(value) - {"type", "properties", "required", "additionalProperties"}:
        return None
    return value


def result_text(value):
    """A tool's result in one spelling: objects as sorted JSON, wrapping of plain text undone."""
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if not isinstance(parsed, dict):
        return value if isinstance(value, str) else json.dumps(value)
    if set(parsed) in ({"output"}, {"result"}, {"error"}):
        inner = next(iter(parsed.values()))
        return inner if isinstance(inner, str) else json.dumps(inner, sort_keys=True)
    return json.dumps(parsed, sort_keys=True)


EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]


def effort_of(budget):
    """The published table of budgets as efforts."""
    if budget == 0:
        return "none"
    if budget < 0:
        return "dynamic"
    return ("low" if budget <= 2047 else "medium" if budget <= 8191
            else "high" if budget <= 24575 else "xhigh")


class Reader:
    """Takes a request apart; what nobody took becomes an extra with its path."""

    def __init__(self, dialect, value):
        self.out = Request(dialect)
        self.top = copy.deepcopy(value)
        self.calls = []         # (id, name) of each call, by number

    def setting(self, name, value, path, absent=(None,)):
        if not any(value == a and type(value) is type(a) for a in absent):
            self.out.settings[name] = (value, path)

    def simple(self, place, path, names):
        """Settings that are one key: neutral name -> key, or (key, values that mean "absent")."""
        for name, key in names.items():
            key, absent = key if isinstance(key, tuple) else (key, (None,))
            if key in place:
                self.setting(name, place.pop(key), path + key, absent)

    def rest(self, place, path):
        for key, value in place.items():
            if value is not None:
                self.out.extras[path + key] = value

    def item(self, what, role, value, path, **more):
        self.out.items.append(Item(what, role, value, path, **more))

    def call(self, number_id, name, args, path):
        self.calls.append((number_id, name))
        if isinstance(args, str):
            self.out.faults.append(f"{path}: arguments are no JSON")
        self.item("call", "assistant", [name, args], path, call=len(self.calls) - 1)

    def number(self, call_id, path):
        for number in reversed(range(len(self.calls))):
            if self.calls[number][0] == call_id:
                return number
        self.out.faults.append(f"{path}: a result without its call ({call_id})")
        return None

    def finish(self):
        self.rest(self.top, "")
        return self.out
