# SPDX-License-Identifier: Apache-2.0
"""What a conversion must keep, may lose by name, may lose without a word, and must refuse.

    compare_requests(given, sent, lossy)  -> [Fault]     of what the upstream was asked
    compare_replies(vendor, client)       -> [Fault]     of what the client was answered
    refusable(given, upstream)            -> [(why, path)]  what a 400 may name

Everything that is in none of the tables below and still differs is a fault.
"""
import dataclasses
import difflib
import json
import re

from tests.peer import meaning, spec
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES

OPENAI = {CHAT, RESPONSES}


@dataclasses.dataclass
class Fault:
    rule: str
    path: str
    detail: str = ""

    def __str__(self):
        return f"{self.rule} at {self.path}: {self.detail}"


# Settings that a dialect cannot say, and what becomes of one that a client gave:
# "refuse", "report" (named in Relay-Lossy) or "drop" (a hint, without a word).
LACKING = {
    "stop": {RESPONSES: "refuse"},
    "n": {MESSAGES: "refuse", RESPONSES: "refuse"},
    "logprobs": {MESSAGES: "refuse"},
    "top_logprobs": {MESSAGES: "refuse"},
    "logit_bias": {RESPONSES: "refuse", MESSAGES: "refuse", GEMINI: "refuse"},
    "frequency_penalty": {RESPONSES: "refuse", MESSAGES: "refuse"},
    "presence_penalty": {RESPONSES: "refuse", MESSAGES: "refuse"},
    "top_k": {CHAT: "refuse", RESPONSES: "refuse"},
    "seed": {RESPONSES: "report", MESSAGES: "report"},
    "parallel": {GEMINI: "refuse"},
    "user": {GEMINI: "drop"},
    "metadata": {MESSAGES: "report", GEMINI: "report"},
    "verbosity": {MESSAGES: "drop", GEMINI: "drop"},
    "store": {MESSAGES: "drop", GEMINI: "drop"},
    "cache_key": {MESSAGES: "drop", GEMINI: "drop"},
    "modalities": {RESPONSES: "refuse", MESSAGES: "refuse", CHAT: "refuse", GEMINI: "refuse"},
    "truncation": {CHAT: "refuse", MESSAGES: "refuse", GEMINI: "refuse"},
    "background": {CHAT: "refuse", MESSAGES: "refuse", GEMINI: "refuse"},
    "previous": {CHAT: "refuse", MESSAGES: "refuse", GEMINI: "refuse"},
    "max_tool_calls": {CHAT: "drop", MESSAGES: "drop", GEMINI: "drop"},
    "context_management": {CHAT: "drop", RESPONSES: "drop", GEMINI: "drop"},
    "summary": {CHAT: "drop", MESSAGES: "drop", GEMINI: "drop", RESPONSES: "drop"},
    "adaptive": {CHAT: "drop", RESPONSES: "drop", GEMINI: "drop"},
    "validated": {CHAT: "drop", RESPONSES: "drop", MESSAGES: "drop"},
}
# Settings that the upstream may be given although the client did not say them.
INVENTED = {
    "max": {MESSAGES},          # required there: the model's ceiling
    "summary": {RESPONSES, GEMINI},     # so that there is reasoning to show
    "store": {RESPONSES},       # default true there, false everywhere else
    "validated": {GEMINI},      # a strict tool
    "logprobs": {RESPONSES, CHAT, GEMINI},
    "top_logprobs": {RESPONSES},
    "include": {RESPONSES},
    "adaptive": {MESSAGES},
}
# Keys without a neutral name: (client dialect or "", path, what becomes of it).
EXTRAS = [
    ("", r"cache_control$|prompt_cache_breakpoint$|prompt_cache_options$|prompt_cache_retention$",
     "report"),
    ("", r"\.detail$|\.filename$|\.title$|\.context$", "report"),
    ("", r"(^|\.)(client_metadata|obfuscation|partMetadata|x-[\w-]+)$", "drop"),
    (CHAT, r"^messages\[\d+\]\.(name|annotations|refusal|reasoning_details)$", "drop"),
    (CHAT, r"^(stream_options|prediction)$", "drop"),
    (MESSAGES, r"^tools\[\d+\]\.(defer_loading|eager_input_streaming)$", "drop"),
    (MESSAGES, r"^tools\[\d+\]\.input_examples$", "report"),
    (RESPONSES, r"tools\[\d+\]\.(defer_loading|output_schema)$", "drop"),
    (RESPONSES, r"^tools\[\d+\]\.format$", "report"),
    (RESPONSES, r"^(include|stream_options)$", "drop"),
    (RESPONSES, r"^reasoning\.(context|mode)$", "report or refuse"),
    (GEMINI, r"^safetySettings$", "drop if lax"),
    (GEMINI, r"mediaResolution$", "report"),
    (GEMINI, r"^tools\[\d+\]\.functionDeclarations\[\d+\]\.behavior$", "report"),
    ("", r".", "refuse"),
]
# Values that say nothing, by the end of their path.
NOTHING = [("", False), (".allowed_callers", ["direct"]), (".format", {"type": "text"})]
BLOCKING = {"BLOCK_NONE", "OFF", "HARM_BLOCK_THRESHOLD_UNSPECIFIED"}


# What a client asks for in a header, which a loss names as it names a path.
HEADERS = {"anthropic-beta"}


# Paths

def covers(declared, path):
    """Whether a declared path is this one, stands above it, or below it."""
    def inside(outer, inner):
        return inner == outer or inner.startswith((outer + ".", outer + "["))
    return inside(declared, path) or inside(path, declared)


def is_declared(path, lossy):
    return any(covers(entry, path) for entry in lossy)


def exists(value, path):
    """Whether a path like a.b[2].c stands in a JSON value, in either of Google's spellings."""
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if index:
            if not isinstance(value, list) or int(index) >= len(value):
                return False
            value = value[int(index)]
            continue
        if not isinstance(value, dict):
            return False
        other = re.sub(r"([A-Z])", lambda m: "_" + m[1].lower(), key)
        if key not in value and other not in value:
            return False
        value = value.get(key, value.get(other))
    return True


# The conversation

TAG = re.compile(r"</?system-reminder>")


def _plain(text):
    return re.sub(r"\s+", " ", TAG.sub("", text)).strip()


def _letters(text):
    return _plain(text).replace(" ", "")


def _leading(items):
    """How many items at the start are system text."""
    count = 0
    while count < len(items) and items[count].what == "system":
        count += 1
    return count


def _turns(items, fold_system, ordered=True):
    """(key, path) of the items in a form that dialects share: results of a turn first, neighbouring
    texts of a role as one, opaque state left out."""
    lead = _leading(items)
    rows, run = [], []
    numbers = {}            # calls count from 0 among these items

    def call_of(item):
        if item.what == "call":
            numbers[item.call] = len(numbers)
        return numbers.get(item.call)

    def flush():
        run.sort(key=lambda row: row[0][0] != "result")
        rows.extend(run)
        run.clear()

    for number, item in enumerate(items):
        what, role, value = item.what, item.role, item.value
        if what in ("opaque", "reasoning"):
            continue
        if what == "system" and number >= lead and fold_system:
            what, role = "text", "user"
        if what == "refusal":
            what = "text"
        if what in ("text", "system"):
            row = [(what, role, _plain(value)), item]
            if not row[0][2]:
                continue
        elif what == "result":
            text = value[len("[tool error] "):] if value.startswith("[tool error] ") else value
            row = [(what, call_of(item), _plain(text)), item]
        else:
            row = [(what, role, json.dumps(value, sort_keys=True), call_of(item)), item]
        if role == "assistant":
            flush()
            rows.append(row)
        else:
            run.append(row)
    flush()
    if not ordered:
        rows = _assistant_texts_first(rows)
    merged = []
    for key, item in rows:
        if merged and key[0] in ("text", "system") and merged[-1][0][:2] == key[:2]:
            merged[-1][0] = (*key[:2], _plain(merged[-1][0][2] + " " + key[2]))
        else:
            merged.append([key, item])
    return [(key[:2] + (key[2].replace(" ", ""),) if key[0] in ("text", "system", "result")
             else key, item) for key, item in merged]


def _assistant_texts_first(rows):
    """Chat has one message a turn: its text stands before its calls."""
    out, run = [], []
    for row in [*rows, None]:
        if row and row[1].role == "assistant":
            run.append(row)
            continue
        run.sort(key=lambda r: r[0][0] == "call")
        out.extend(run)
        run = []
        if row:
            out.append(row)
    return out


def _conversation(given, sent, lossy):
    """Faults; items that were declared lost count as there or as gone, whichever fits."""
    gone = [i for i in given.items if any(i.path == entry or i.path.startswith((entry + ".",
                                                                                entry + "["))
                                          for entry in lossy)]
    faults = _aligned(given, given.items, sent, lossy)
    if faults and gone:
        rest = _aligned(given, [i for i in given.items if i not in gone], sent, lossy)
        faults = min(faults, rest, key=len)
    return faults


def _own_lines(item):
    """A line for Anthropic's own billing, in a system text; it belongs to nobody else."""
    return item.what == "system" and item.value.startswith("x-anthropic-billing-header")


def _aligned(given, items, sent, lossy):
    items = [i for i in items if sent.dialect == MESSAGES or not _own_lines(i)]
    fold = sent.dialect in (GEMINI, MESSAGES)
    ordered = CHAT not in (given.dialect, sent.dialect)
    ours = _turns(items, fold, ordered)
    theirs = _turns(sent.items, fold, ordered)
    faults = []
    matcher = difflib.SequenceMatcher(None, [k for k, _ in ours], [k for k, _ in theirs], False)
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        if kind == "equal":
            continue
        for key, item in ours[a0:a1]:
            if is_declared(item.path, lossy):
                continue
            if key[0] == "image" and _elsewhere(key, theirs):
                continue
            faults.append(Fault("conversation lost", item.path, f"{key!s:.90}"))
        for key, item in theirs[b0:b1]:
            if _may_be_added(given, key, item, lossy):
                continue
            if not faults or not any(f.rule == "conversation lost" for f in faults):
                faults.append(Fault("conversation invented", item.path, f"{key!s:.90}"))
    return faults


def _elsewhere(key, rows):
    """Images of results stand in the message behind them where results cannot hold any."""
    return any(other[0] == "image" and other[2] == key[2] for other, _ in rows)


def _may_be_added(given, key, item, lossy):
    """A label for an image that could not stand in its result; what a lossy field left behind."""
    pictures = any(i.what in ("image", "file") for i in given.items)
    if key[0] in ("image", "file") or key[0] in ("text", "result") and pictures:
        return key[0] in ("image", "file", "text", "result") and any(
            i.what == "result" for i in given.items)
    return bool(lossy) and key[0] in ("text", "result")


def _verbatim(given, sent, lossy):
    """Every text arrives letter by letter, whatever became of the blocks around it."""
    there = [i.value for i in sent.items if i.what in ("text", "system", "refusal")]
    joined = "\x00".join(there)
    for item in given.items:
        if item.what in ("text", "system") and item.value.strip() and item.value not in joined \
                and not _own_lines(item) and not is_declared(item.path, lossy):
            yield Fault("text altered", item.path, f"{item.value!r:.60}")


# Tools and settings

def _tools(given, sent, lossy):
    theirs = {tool.name: tool for tool in sent.tools}
    names = []
    allowed = given.get("choice")
    if isinstance(allowed, list) and allowed[0] == "allowed" and sent.dialect == MESSAGES:
        allowed = set(allowed[2])
    else:
        allowed = None
    for tool in given.tools:
        if allowed is not None and tool.name not in allowed:
            continue
        other = theirs.get(tool.name)
        if tool.kind not in ("function", "custom") and other is None:
            if not is_declared(tool.path, lossy):
                yield Fault("tool lost", tool.path, f"hosted {tool.kind}")
            continue
        if other is None:
            if not is_declared(tool.path, lossy):
                yield Fault("tool lost", tool.path, tool.name)
            continue
        names.append(tool.name)
        if tool.kind not in ("function", "custom"):
            continue
        if tool.kind == "function" and tool.schema != other.schema \
                and not is_declared(tool.path, lossy):
            yield Fault("tool schema changed", tool.path,
                        f"{json.dumps(tool.schema):.70} became {json.dumps(other.schema):.70}")
        if (tool.description or "") not in (other.description or ""):
            yield Fault("tool description changed", tool.path, f"{other.description!r:.60}")
        forced = sent.dialect == GEMINI and sent.get("choice") not in (None, "auto")
        if tool.strict and not (other.strict or sent.get("validated") or forced
                                or is_declared(tool.path, lossy)):
            yield Fault("strict lost", tool.path)
        if sent.dialect == RESPONSES and given.dialect != RESPONSES and not tool.strict \
                and tool.kind == "function" and other.strict is not False:
            yield Fault("strict must be said", other.path, f"strict is {other.strict}")
    names = list(dict.fromkeys(names))
    order = list(dict.fromkeys(tool.name for tool in sent.tools if tool.name in names))
    if order != names and not any(tool.path.startswith("input[") for tool in given.tools):
        yield Fault("tools reordered", "tools", str(order)[:80])
    calls = {i.value[0] for i in given.items if i.what == "call"}
    known = {tool.name for tool in given.tools} | calls
    for name in theirs:
        if name not in known:
            yield Fault("tool invented", theirs[name].path, str(name))


def _level(request):
    """Effort as one word; None: nothing said."""
    effort = request.get("effort")
    if effort is None and request.get("budget") is not None:
        effort = meaning.effort_of(request.get("budget"))
    if effort is None and request.get("adaptive"):
        return "dynamic"
    return effort


def _same_level(a, b, sent):
    if a == b or "dynamic" in (a, b) and None not in (a, b):
        return True
    pairs = {("xhigh", "max"), ("minimal", "low"), ("none", "minimal"), ("xhigh", "high"),
             ("max", "high")}
    if sent.dialect in (GEMINI, MESSAGES) and (a, b) in pairs:
        return True
    if a in ("xhigh", "max") and b in ("xhigh", "max"):
        return True
    return a == "dynamic" and b is None


def _effort(given, sent, lossy):
    ours, theirs = _level(given), _level(sent)
    if ours is None and theirs is None:
        return
    paths = [given.settings[n][1] for n in ("effort", "budget", "adaptive") if n in given.settings]
    path = paths[0] if paths else "reasoning"
    if ours is None:
        yield Fault("setting invented", "effort", f"{theirs}")
    elif not _same_level(ours, theirs, sent) and not is_declared(path, lossy):
        yield Fault("effort changed", path, f"{ours} became {theirs}")


def _choice(given, sent, lossy):
    ours, theirs = given.get("choice"), sent.get("choice")
    if isinstance(ours, list) and ours[0] == "allowed":
        if sent.dialect == MESSAGES:
            ours = None if ours[1] == "auto" else ours[1]
        elif isinstance(theirs, list) and set(ours[2]) == set(theirs[-1] if isinstance(
                theirs[-1], list) else theirs[1:]):
            return
    if ours == "none" and not sent.tools and theirs is None:
        return
    if ours != theirs:
        path = given.settings.get("choice", (None, "tool_choice"))[1]
        if not is_declared(path, lossy):
            yield Fault("tool choice changed", path, f"{given.get('choice')} became {theirs}")


def _format(given, sent, lossy):
    ours, theirs = given.get("format"), sent.get("format")
    if ours == theirs:
        return
    path = given.settings.get("format", (None, "format"))[1]
    if is_declared(path, lossy):
        return
    yield Fault("format changed", path, f"{json.dumps(ours):.70} became {json.dumps(theirs):.70}")


def _maximum(given, sent, lossy):
    ours, theirs = given.get("max"), sent.get("max")
    path = given.settings.get("max", (None, "max"))[1]
    if ours is None:
        if theirs is not None and sent.dialect != MESSAGES:
            yield Fault("setting invented", "max", str(theirs))
        elif sent.dialect == MESSAGES and (theirs or 0) <= 4096:
            yield Fault("a ceiling of 4096 or less was invented", "max_tokens", str(theirs))
    elif ours != theirs and not is_declared(path, lossy):
        yield Fault("limit changed", path, f"{ours} became {theirs}")


OWN_RULES = ("model", "stream", "effort", "budget", "adaptive", "choice", "format", "max", "tier")


def _settings(given, sent, lossy):
    yield from _effort(given, sent, lossy)
    yield from _choice(given, sent, lossy)
    yield from _format(given, sent, lossy)
    yield from _maximum(given, sent, lossy)
    for name, (value, path) in given.settings.items():
        if name in OWN_RULES:
            continue
        other = sent.get(name)
        if other == value or name == "user" and other is not None:
            continue
        if name == "summary" and bool(other) == bool(value):
            continue
        if name == "parallel" and (given.get("choice") == "none" or not given.tools):
            continue            # no calls are none side by side
        fate = LACKING.get(name, {}).get(sent.dialect)
        if fate == "drop" and other is None:
            continue
        if fate == "report" and other is None and is_declared(path, lossy):
            continue
        if fate == "refuse" and other is None:
            yield Fault("must be refused", path, f"{value!s:.40}")
        elif not is_declared(path, lossy) or other is not None:
            yield Fault("setting changed", path, f"{name}: {value!s:.50} became {other!s:.50}")
    for name, (value, _) in sent.settings.items():
        if name not in given.settings and name not in OWN_RULES \
                and sent.dialect not in INVENTED.get(name, ()):
            yield Fault("setting invented", name, f"{value!s:.50}")


def fate_of_extra(dialect, path, value):
    for where, pattern, fate in EXTRAS:
        if where in ("", dialect) and re.search(pattern, path):
            if fate == "drop if lax":
                lax = all((row or {}).get("threshold") in BLOCKING for row in value)
                return "drop" if lax else "refuse"
            return fate
    return "refuse"


def _carried(path, value, sent):
    """An extra that arrived under the same last name, or in an item's own place."""
    leaf = path.rpartition(".")[2]
    names = {"filename", "title"} if leaf in ("filename", "title") else {leaf}
    return any(p.rpartition(".")[2] in names and v == value for p, v in sent.extras.items())


def _extras(given, sent, lossy):
    for path, value in given.extras.items():
        if any(path.endswith(name) and value == nothing for name, nothing in NOTHING):
            continue
        if _carried(path, value, sent) or is_declared(path, lossy):
            continue
        fate = fate_of_extra(given.dialect, path, value)
        if fate.startswith("report"):
            yield Fault("undeclared loss", path, f"{value!s:.50}")
        elif fate == "refuse":
            yield Fault("must be refused or named", path, f"{value!s:.50}")


def compare_requests(given, sent, lossy, raw=None):
    """Faults of a request as it was sent on. `lossy` are the paths that the client was told."""
    faults = [Fault("broken request", f) for f in sent.faults
              if len(sent.faults) > len(given.faults)]
    faults += _conversation(given, sent, lossy)
    if not any(f.rule.startswith("conversation") for f in faults):
        faults += _verbatim(given, sent, lossy)
    faults += _tools(given, sent, lossy)
    faults += _settings(given, sent, lossy)
    faults += _extras(given, sent, lossy)
    for path in lossy:
        if raw is not None and path not in HEADERS and not exists(raw, path):
            faults.append(Fault("a declared loss names no path of the request", path))
    return faults


# Refusals

AT_GOOGLE = re.compile(r"gs://|files/|https://generativelanguage\.googleapis\.com/"
                       r"|https://((www|m)\.)?(youtube\.com|youtu\.be)/")


def _ids(given):
    """Media by a vendor's own id, or in a place that it alone can read."""
    return [i.path for i in given.items if i.what in ("image", "file")
            and isinstance(i.value, list)
            and (i.value[0] in ("id", "file", None) or AT_GOOGLE.match(str(i.value[1])))]


def refusable(given, upstream):
    """[(number in the list of what must be refused, or a word; the client's path)]"""
    out = []
    for name, (value, path) in given.settings.items():
        if LACKING.get(name, {}).get(upstream) == "refuse":
            out.append((f"lacks {name}", path))
        if name == "temperature" and upstream == MESSAGES and value > 1:
            out.append(("temperature above 1", path))
        if name == "tier":
            out.append(("paid tier", path))
        if name == "format":
            out.append(("format that the model lacks", path))
        if name in ("effort", "budget", "adaptive"):
            out.append(("effort that the model lacks", path))
        if name == "choice" and (value == "required" or isinstance(value, list)):
            out.append(("choice that the upstream lacks", path))
        if name == "stop" and (upstream == CHAT and len(value) > 4 or upstream == GEMINI
                               and len(value) > 5):
            out.append(("too many stop sequences", path))
        if name in ("logprobs", "top_logprobs", "n"):   # no pair carries them: a limit, no loss
            out.append((name, path))
        if name == "seed" and upstream == GEMINI:
            out.append(("seed out of range", path))
    last = given.items[-1] if given.items else None
    if last and last.role == "assistant" and last.what != "result" \
            and given.dialect in (MESSAGES, GEMINI) and upstream in OPENAI:
        out.append(("prefill", last.path))
        out.append(("prefill", re.sub(r"[.\[]?(content|parts).*", "", last.path)))
    if all(item.role == "system" or item.what == "system" for item in given.items):
        out.append(("no message", {GEMINI: "contents", RESPONSES: "input"}.get(given.dialect,
                                                                               "messages")))
    out += [("media by id", path) for path in _ids(given)]
    for item in given.items:
        if item.what == "audio" and upstream in (RESPONSES, MESSAGES):
            out.append(("audio", item.path))
        if item.what == "file":
            out.append(("file that the upstream does not take", item.path))
        if item.what == "image" and item.role == "assistant":
            out.append(("an image made by the model", item.path))
        if item.what == "image" and isinstance(item.value, list):
            if item.value[0] == "url" and upstream == GEMINI:
                out.append(("image by URL", item.path))
            if item.value[0] == "data" and upstream == MESSAGES and item.value[1] not in (
                    "image/jpeg", "image/png", "image/gif", "image/webp"):
                out.append(("image of this type", item.path))
        if item.what == "other":
            out.append(("unknown part", item.path))
        if item.what == "opaque":
            out.append(("foreign state as the only content", item.path))
    for tool in given.tools:
        if tool.kind not in ("function", "custom"):
            out.append(("hosted tool", tool.path))
    for path, value in given.extras.items():
        if fate_of_extra(given.dialect, path, value).endswith("refuse"):
            out.append(("unknown key", path))
        if re.search(r"allowed_callers$|citations$|file_id$|cachedContent$|container$", path):
            out.append(("bound to its vendor", path))
    for fault in given.faults:
        out.append(("broken history", fault.partition(":")[0]))
    return out


PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_$-]*(?:\[\d+\]|\.[A-Za-z_$][A-Za-z0-9_$-]*)*")


def named_paths(body):
    """The paths that an error names: its param; in its text what has dots or brackets, and single
    words that are quoted, begin the text with a colon behind them, or have an underscore."""
    error = body.get("error") if isinstance(body, dict) else None
    error = error if isinstance(error, dict) else {}
    text = error.get("message") or ""
    found = [error["param"]] if error.get("param") else []
    for match in PATH.finditer(text):
        word, before, behind = match[0], text[match.start() - 1:match.start()], text[match.end():]
        if re.search(r"[.\[_]|[a-z][A-Z]", word) or before and before in "'`\"" \
                or match.start() == 0 and behind[:1] == ":":
            found.append(word)
    return found


def judge_refusal(given, upstream, raw, response, dialect):
    """Faults of a 400."""
    try:
        body = response.json()
    except ValueError:
        return [Fault("the error is no JSON", "", f"{response.body[:80]}")]
    faults = list(error_shape(body, dialect, response.status))
    paths = [p for p in named_paths(body) if exists(raw, p)]
    words = ((body.get("error") or {}).get("message") or "")[:140]
    if not paths:
        return faults + [Fault("a refusal names no path of the request", "", words)]
    reasons = refusable(given, upstream)
    reasons += [("its own vendor refuses it", problem.partition(":")[0].removeprefix("$."))
                for problem in spec.validate(dialect, "request", {"model": "m", **raw}
                                             if dialect != GEMINI else raw)]
    if not any(covers(path, where) for _, where in reasons for path in paths):
        faults.append(Fault("refused without need", paths[0], words))
    return faults


def error_shape(body, dialect, status):
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or not error.get("message"):
        yield Fault("not the dialect's error shape", "error", f"{body!s:.80}")
        return
    if dialect in OPENAI:
        good = {"message", "type", "param", "code"} == set(error)
    elif dialect == MESSAGES:
        good = body.get("type") == "error" and isinstance(error.get("type"), str)
    else:
        good = error.get("code") == status and re.fullmatch("[A-Z_]+", error.get("status", ""))
    if not good:
        yield Fault("not the dialect's error shape", "error", f"{body!s:.80}")


# Answers

def _usage(vendor, client):
    if vendor.usage is None:
        return
    if client.usage is None:
        yield Fault("usage lost", "usage")
        return
    a, b = vendor.usage, client.usage
    total_a, total_b = a.fresh + a.read + a.write, b.fresh + b.read + b.write
    if a.state == "inconsistent":
        return
    leaves = [("input total", total_a, total_b), ("cached", a.read, b.read),
              ("output total", a.out + a.reasoning, b.out + b.reasoning),
              ("reasoning", a.reasoning, b.reasoning)]
    if client.dialect != GEMINI:
        leaves.append(("cache write", a.write, b.write))
    for name, ours, theirs in leaves:
        if ours != theirs:
            yield Fault("usage changed", "usage", f"{name}: {ours} became {theirs}")
    if b.state == "inconsistent":
        yield Fault("usage is inconsistent", "usage", str(b))


def compare_replies(vendor, client, hidden=False):
    """Faults of an answer as the client got it. `hidden`: it did not ask for reasoning."""
    faults = []
    ours, theirs = vendor.text, client.text
    refusal = "".join(vendor.all("refusal"))
    if ours != theirs and not (refusal and theirs in (ours + refusal, refusal)):
        faults.append(Fault("text changed", "text", _first_difference(ours, theirs)))
    if refusal and refusal not in client.text + "".join(client.all("refusal")):
        faults.append(Fault("refusal lost", "refusal", refusal[:60]))
    if hidden and client.reasoning:
        faults.append(Fault("reasoning shown to who did not ask", "reasoning"))
    if not hidden and _letters(vendor.reasoning) != _letters(client.reasoning):
        faults.append(Fault("reasoning changed", "reasoning",
                            _first_difference(vendor.reasoning, client.reasoning)))
    if vendor.all("call") != client.all("call"):
        faults.append(Fault("calls changed", "calls",
                            f"{vendor.all('call')!s:.80} became {client.all('call')!s:.80}"))
    if client.dialect in OPENAI and set(vendor.all("citation")) - set(client.all("citation")):
        faults.append(Fault("citations lost", "annotations", str(vendor.all("citation"))[:80]))
    if vendor.all("image") and vendor.all("image") != client.all("image"):
        faults.append(Fault("images lost", "content", f"{len(vendor.all('image'))} of them"))
    good = {vendor.finish} | ({"filter"} if refusal else set())
    if vendor.finish == "bad call":     # a call that can be read is one, whatever Google calls it
        good = {"tool"} if vendor.all("call") else {"stop", "failed"}
    if client.finish not in good:
        faults.append(Fault("finish changed", "finish", f"{vendor.finish} became {client.finish}"))
    if vendor.model and vendor.model != client.model:
        faults.append(Fault("model changed", "model", f"{vendor.model} became {client.model}"))
    ours, theirs = [[k for k in read.order if not hidden or k != "reasoning"]
                    for read in (vendor, client)]
    if CHAT not in (vendor.dialect, client.dialect) and ours != theirs and not refusal:
        faults.append(Fault("order changed", "order", f"{ours} became {theirs}"))
    faults += _usage(vendor, client)
    return faults


def _first_difference(a, b):
    at = next((n for n, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return f"at {at} of {len(a)}/{len(b)}: {a[at:at + 30]!r} became {b[at:at + 30]!r}"
