/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many tokens a request's input is, where no upstream counts it: by what kinds of text it has,
 * and by what each family of tokenizers makes of them. Thousandths of tokens, no floating point.
 */
#include "dialect/dialect.h"

enum script {
    SCRIPT_WORD,  /* the begin of a word, or of a part of an identifier */
    SCRIPT_MORE,  /* a letter of a word beyond its sixth */
    SCRIPT_DIGIT, /* each of those below: a character */
    SCRIPT_CJK,
    SCRIPT_KANA,
    SCRIPT_HANGUL,
    SCRIPT_THAI,
    SCRIPT_DEVANAGARI,
    SCRIPT_GEORGIAN,
    SCRIPT_OTHER,
    SCRIPT_MARK,  /* the begin of a run of punctuation */
    SCRIPT_MARKS, /* the rest of it */
    SCRIPT_LINE,  /* a run of line ends */
    SCRIPT_COUNT
};

/* What is not text has its cost by the family, too: in vendors' own counts, tools cost the most. */
struct family {
    const char *words[8]; /* a word of the model's name begins so */
    uint16_t milli[SCRIPT_COUNT];
    uint16_t request, turn, tools, tool; /* tokens; tools: for having any */
    uint16_t schema, member; /* of a schema: thousandths of its text, milli for each member */
    uint16_t image, file;    /* tokens */
};

/* The last is for all others: the most that any of them counts. */
static const struct family families[] = {
    {{"gpt", "chatgpt", "codex", "o1", "o3", "o4"},
     {1000, 120, 344, 500, 789, 727, 413, 421, 292, 600, 950, 500, 900},
     3,
     4,
     20,
     2,
     550,
     600,
     600,
     600},
    {{"claude"},
     {1000, 120, 406, 1000, 1211, 1682, 1783, 1316, 1292, 1300, 950, 600, 600},
     3,
     4,
     400,
     45,
     600,
     6000,
     800,
     2000},
    {{"gemini", "gemma"},
     {1000, 120, 1000, 375, 579, 636, 304, 316, 500, 500, 900, 300, 300},
     1,
     0,
     2,
     2,
     1000,
     300,
     700,
     350},
    {{"qwen", "qwq"},
     {1000, 120, 1000, 406, 776, 909, 522, 1237, 1083, 1000, 950, 500, 900},
     3,
     4,
     100,
     12,
     1000,
     3000,
     1100,
     2700},
    {{"deepseek"},
     {1000, 120, 344, 312, 763, 1045, 413, 763, 917, 900, 950, 500, 900},
     1,
     2,
     300,
     12,
     800,
     2000,
     1100,
     2700},
    {{"kimi", "moonshot"},
     {1000, 120, 344, 281, 934, 1455, 804, 763, 917, 1000, 950, 500, 900},
     3,
     4,
     100,
     12,
     1000,
     3000,
     1100,
     2700},
    {{""},
     {1000, 120, 1000, 1000, 1211, 1682, 1783, 1316, 1292, 1300, 950, 600, 900},
     3,
     4,
     400,
     45,
     1000,
     5500,
     1100,
     2700},
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct estimate {
    const struct family *family;
    uint64_t milli;
};

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A word of the name begins so. */
static bool has_word(struct str s, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= s.n; i++) {
        if ((i == 0 || !is_alnum(s.p[i - 1])) &&
            str_eq_nocase(str_slice(s.p + i, n), str_slice(word, n))) {
            return true;
        }
    }
    return false;
}

static const struct family *family_of(struct str model)
{
    for (size_t i = 0; i + 1 < COUNT(families); i++) {
        for (size_t w = 0; families[i].words[w] != NULL; w++) {
            if (has_word(model, families[i].words[w])) {
                return &families[i];
            }
        }
    }
    return &families[COUNT(families) - 1];
}

static enum script script_of(uint32_t c)
{
    static const struct {
        uint32_t first, last;
        enum script script;
    } ranges[] = {
        {0xC0, 0x24F, SCRIPT_WORD},      {0x900, 0x97F, SCRIPT_DEVANAGARI},
        {0xE00, 0xE7F, SCRIPT_THAI},     {0x10A0, 0x10FF, SCRIPT_GEORGIAN},
        {0x1100, 0x11FF, SCRIPT_HANGUL}, {0x3040, 0x30FF, SCRIPT_KANA},
        {0x3400, 0x9FFF, SCRIPT_CJK},    {0xAC00, 0xD7AF, SCRIPT_HANGUL},
        {0x20000, 0x2FFFF, SCRIPT_CJK},
    };

    for (size_t i = 0; i < COUNT(ranges); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return ranges[i].script;
        }
    }
    return SCRIPT_OTHER;
}

/* The character at p of valid UTF-8, and how many bytes it has. */
static uint32_t next_char(const char *p, const char *end, size_t *n)
{
    unsigned char c = (unsigned char)*p;
    size_t want = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    uint32_t value = c < 0x80 ? c : want == 1 ? 0 : c & (0x7FU >> want);

    *n = want < (size_t)(end - p) ? want : (size_t)(end - p);
    for (size_t i = 1; i < *n; i++) {
        value = value << 6 | ((unsigned char)p[i] & 0x3F);
    }
    return value;
}

/* One class a character: what it is, if it begins something. */
enum kind { KIND_BLANK, KIND_LINE, KIND_SMALL, KIND_CAPITAL, KIND_DIGIT, KIND_MARK, KIND_WIDE };

static enum kind kind_of(uint32_t c)
{
    if (c >= 0x80) {
        return script_of(c) == SCRIPT_WORD ? KIND_SMALL : KIND_WIDE;
    }
    if (c == '\n' || c == '\r' || c == '\t') {
        return KIND_LINE;
    }
    if (c <= ' ') {
        return KIND_BLANK;
    }
    return c >= '0' && c <= '9'   ? KIND_DIGIT
           : c >= 'a' && c <= 'z' ? KIND_SMALL
           : c >= 'A' && c <= 'Z' ? KIND_CAPITAL
                                  : KIND_MARK;
}

static void count_text(struct estimate *e, struct str s)
{
    const uint16_t *milli = e->family->milli;
    const char *end = s.n > 0 ? s.p + s.n : s.p; /* of nothing the pointer may be NULL */
    enum kind before = KIND_BLANK;
    size_t letters = 0, n;

    for (const char *p = s.p; p < end; p += n) {
        uint32_t c = next_char(p, end, &n);
        enum kind kind = kind_of(c);
        bool begins = kind != before;
        switch (kind) {
        case KIND_SMALL:
        case KIND_CAPITAL:
            begins = before != KIND_CAPITAL && begins; /* "Word" is one, "aWord" are two */
            letters = begins ? 1 : letters + 1;
            e->milli += begins ? milli[SCRIPT_WORD] : letters > 6 ? milli[SCRIPT_MORE] : 0;
            break;
        case KIND_DIGIT: e->milli += milli[SCRIPT_DIGIT]; break;
        case KIND_MARK: e->milli += milli[begins ? SCRIPT_MARK : SCRIPT_MARKS]; break;
        case KIND_LINE: e->milli += begins ? milli[SCRIPT_LINE] : 0; break;
        case KIND_WIDE: e->milli += milli[script_of(c)]; break;
        case KIND_BLANK: break;
        }
        before = kind;
    }
}

/* Every key and every value: a call's arguments, a schema. Answers how many members there were. */
static uint64_t count_all(struct estimate *e, const struct json *v)
{
    struct json_each it = json_each(v);
    uint64_t members = 0;

    if (!json_is_object(v) && !json_is_array(v)) {
        struct str s = json_str(v);
        e->milli += s.n > 0 || json_is_null(v) ? 0 : e->family->milli[SCRIPT_WORD];
        count_text(e, s);
    }
    while (json_next(&it)) {
        members += it.key.p != NULL;
        count_text(e, it.key);
        members += count_all(e, it.value);
    }
    return members;
}

static void count_schema(struct estimate *e, const struct json *v)
{
    struct estimate text = {e->family, 0};
    uint64_t members = count_all(&text, v);

    e->milli += text.milli * e->family->schema / 1000 + members * e->family->member;
}

static bool is_one_of(struct str key, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (str_eq(key, str_from(*list))) {
            return true;
        }
    }
    return false;
}

/* How the dialects name what is no text, or hold it. */
static const char *const image_types[] = {"image", "image_url", "input_image", NULL};
static const char *const file_types[] = {"document", "file",        "input_file", "audio",
                                         "video",    "input_audio", "video_url",  NULL};
static const char *const blobs[] = {"inlineData", "inline_data", "fileData", "file_data", NULL};
/* Members whose values the model does not read. */
static const char *const unread[] = {
    "type",      "role",        "id",       "model",     "tool_use_id",      "tool_call_id",
    "call_id",   "media_type",  "mimeType", "mime_type", "signature",        "encrypted_content",
    "status",    "detail",      "url",      "phase",     "thoughtSignature", "thought_signature",
    "file_id",   "fileUri",     "file_uri", "filename",  "cache_control",    "container",
    "namespace", "annotations", "logprobs", NULL};
/* Members that are a program's values, not a vendor's. */
static const char *const values[] = {"input", "args", "arguments", "response", NULL};

static void count_turns(struct estimate *e, const struct json *v);

/* A picture or a file; false: it is none. A document may be text after all. */
static bool count_media(struct estimate *e, const struct json *v)
{
    struct str type = json_str(json_get(v, "type"));
    struct str mime = {NULL, 0};
    bool image = is_one_of(type, image_types), file = is_one_of(type, file_types);

    for (size_t i = 0; blobs[i] != NULL; i++) {
        const struct json *blob = json_get(v, blobs[i]);
        if (json_is_object(blob)) {
            const struct json *m = json_get(blob, "mimeType");
            mime = json_str(m != NULL ? m : json_get(blob, "mime_type"));
            image = str_starts(mime, STR("image/"));
            file = !image;
        }
    }
    if (file && str_eq(json_str(json_get(v, "source.type")), STR("text"))) {
        count_text(e, json_str(json_get(v, "source.data")));
    } else if (file && json_get(v, "source.content") != NULL) {
        count_turns(e, json_get(v, "source.content"));
    } else {
        e->milli += 1000U * (image ? e->family->image : file ? e->family->file : 0U);
    }
    return image || file;
}

static void count_turns(struct estimate *e, const struct json *v)
{
    struct json_each it = json_each(v);

    count_text(e, json_str(v));
    if (json_is_object(v)) {
        e->milli += json_get(v, "role") != NULL ? 1000U * e->family->turn : 0U;
        if (count_media(e, v)) {
            return;
        }
    }
    while (json_next(&it)) {
        if (it.key.p != NULL && is_one_of(it.key, unread)) {
            continue;
        }
        if (it.key.p != NULL && is_one_of(it.key, values) && json_is_object(it.value)) {
            (void)count_all(e, it.value);
        } else {
            count_turns(e, it.value);
        }
    }
}

/* Gemini groups declarations; elsewhere each item is a tool. */
static void count_tools(struct estimate *e, const struct json *tools)
{
    struct json_each it = json_each(tools);

    e->milli += json_count(tools) > 0 ? 1000U * e->family->tools : 0U;
    while (json_next(&it)) {
        const struct json *group = json_get(it.value, "functionDeclarations");
        group = group != NULL ? group : json_get(it.value, "function_declarations");
        size_t n = json_is_array(group) ? json_count(group) : 1;
        e->milli += n * 1000U * e->family->tool;
        count_schema(e, it.value);
    }
}

bool estimate_input(struct str body, struct str model, uint64_t *tokens)
{
    static const char *const turns[] = {
        "messages",          "input", "contents", "system", "instructions", "systemInstruction",
        "system_instruction"};
    static const char *const schemas[] = {"response_format",
                                          "output_config.format",
                                          "output_format",
                                          "text.format",
                                          "generationConfig.responseSchema",
                                          "generationConfig.responseJsonSchema"};
    struct estimate e = {family_of(model), 0};
    struct json_doc *doc = json_parse(body, NULL);
    const struct json *root = doc != NULL ? json_root(doc) : NULL;
    const struct json *inner = json_get(root, "generateContentRequest");

    root = inner != NULL ? inner : root;
    e.milli = 1000U * e.family->request;
    for (size_t i = 0; i < COUNT(turns); i++) {
        const struct json *v = json_get(root, turns[i]);
        e.milli += json_is_string(v) ? 1000U * e.family->turn : 0U;
        count_turns(&e, v);
    }
    count_tools(&e, json_get(root, "tools"));
    for (size_t i = 0; i < COUNT(schemas); i++) {
        const struct json *v = json_get(root, schemas[i]);
        if (v != NULL) {
            count_schema(&e, v);
        }
    }
    *tokens = (e.milli + 999) / 1000;
    json_free(doc);
    return doc != NULL;
}
