/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/leak.h"

#define KEY_LEAST 16 /* letters and digits behind its beginning; shorter ones are cut short */

void leaks_init(struct leaks *l, struct str own)
{
    *l = (struct leaks){.own = own};
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static size_t word(struct str s, const char *more)
{
    size_t n = 0;

    while (n < s.n && (is_word(s.p[n]) || (s.p[n] != '\0' && strchr(more, s.p[n]) != NULL))) {
        n++;
    }
    return n;
}

/* Where vendors and standards are explained, and what names a type: nobody's upstream. By their
 * whole names: anybody may call a host of theirs www or platform. */
static bool is_document(struct str host)
{
    static const struct str known[] = {
#define HOST(name) STR_INIT(name),
        HOST("ai.google.dev") HOST("aistudio.google.com") HOST("aka.ms") HOST(
            "api-docs.deepseek.com") HOST("cloud.google.com") HOST("console.anthropic.com")
            HOST("console.aws.amazon.com") HOST("console.cloud.google.com") HOST(
                "console.developers.google.com") HOST("console.groq.com") HOST("console.mistral.ai")
                HOST("console.x.ai") HOST("developers.google.com") HOST(
                    "developers.openai.com") HOST("docs.anthropic.com") HOST("docs.aws.amazon.com")
                    HOST("docs.claude.com") HOST("docs.github.com") HOST("docs.litellm.ai") HOST(
                        "docs.mistral.ai") HOST("docs.pydantic.dev") HOST("docs.x.ai")
                        HOST("errors.pydantic.dev") HOST("github.com") HOST("help.aliyun.com") HOST(
                            "help.openai.com") HOST("json-schema.org") HOST("learn.microsoft.com")
                            HOST("openrouter.ai") HOST("platform.claude.com")
                                HOST("platform.deepseek.com") HOST("platform.moonshot.ai")
                                    HOST("platform.moonshot.cn") HOST("platform.openai.com")
                                        HOST("support.anthropic.com") HOST("support.claude.com")
                                            HOST("support.google.com") HOST("type.googleapis.com")
                                                HOST("www.anthropic.com") HOST("www.googleapis.com")
                                                    HOST("www.json-schema.org") HOST("www.w3.org")
#undef HOST
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (str_eq_nocase(host, known[i])) {
            return true;
        }
    }
    return false;
}

static void add_host(struct leaks *l, struct str host)
{
    while (host.n > 0 && !is_word(host.p[host.n - 1])) {
        host.n--;
    }
    if (str_find_byte(host, '.') == host.n || host.n >= sizeof(l->hosts[0]) ||
        l->count == LEAK_HOSTS || is_document(host) || str_find(l->own, host) != SIZE_MAX) {
        return;
    }
    for (size_t i = 0; i < l->count; i++) {
        if (str_eq(host, str_from(l->hosts[i]))) {
            return;
        }
    }
    memcpy(l->hosts[l->count++], host.p, host.n);
}

static bool has_secret(struct str s)
{
    static const struct str before[] = {STR_INIT("sk-"), STR_INIT("AKIA"), STR_INIT("AIza")};

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        if (str_starts(s, before[i])) {
            return word(str_skip(s, before[i].n), "-_") >= KEY_LEAST;
        }
    }
    return false;
}

static bool has_path(struct str s)
{
    static const struct str before[] = {STR_INIT("/home/"), STR_INIT("/root/"), STR_INIT("/app/"),
                                        STR_INIT("/usr/"),  STR_INIT("/opt/"),  STR_INIT("/var/"),
                                        STR_INIT("C:\\")};

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        if (str_starts(s, before[i])) {
            return true;
        }
    }
    return false;
}

void leaks_find(struct leaks *l, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        struct str s = str_skip(text, i);
        bool begins = i == 0 || !is_word(text.p[i - 1]);
        if (str_starts(s, STR("://"))) {
            struct str host = str_skip(s, 3);
            add_host(l, str_slice(host.p, word(host, ".-")));
        } else if (begins && has_secret(s)) {
            l->secret = true;
        } else if (begins && has_path(s)) {
            l->path = true;
        }
    }
}
