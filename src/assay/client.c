/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/limits.h"

#define RETRY_FIRST_MS 500
#define HEAD_MAX (16 << 10)
#define ARRIVALS_MAX (256 << 10) /* of the longest stream asked for a tenth */

struct client {
    CURL *curl;
    const atomic_int *stop;
    bool (*may_send)(void *ctx);
    void *may_send_ctx;
    struct client_answer *answer; /* of the call under way */
    int64_t began_us;             /* monotonic */
    int64_t retry_ms;             /* what Retry-After asks for; -1: nothing */
    bool too_large;
};

/* What may be kept: nothing that names an account. */
static const struct str kept[] = {
    STR_INIT("content-type"),
    STR_INIT("date"),
    STR_INIT("server"),
    STR_INIT("via"),
    STR_INIT("cf-ray"),
    STR_INIT("request-id"),
    STR_INIT("x-request-id"),
    STR_INIT("openai-version"),
    STR_INIT("openai-processing-ms"),
    STR_INIT("retry-after"),
    STR_INIT("x-amzn-requestid"),
    STR_INIT("apim-request-id"),
    STR_INIT("x-ms-region"),
    STR_INIT("x-oneapi-request-id"),
    STR_INIT("x-litellm-version"),
    STR_INIT("relay-request-id"),
    STR_INIT("relay-edits"),
    STR_INIT("relay-lossy"),
};

static int64_t mono_us(void)
{
    return clock_mono_ns() / 1000;
}

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
    struct client *c = ctx;
    struct client_answer *a = c->answer;

    (void)size;
    if (a->body.n == 0) {
        a->first_us = mono_us() - c->began_us;
    }
    c->too_large = !buf_add(&a->body, str_slice(p, n));
    buf_addf(&a->arrivals, "%s[%lld,%zu]", a->arrivals.n > 0 ? "," : "",
             (long long)(mono_us() - c->began_us), a->body.n);
    return c->too_large ? 0 : n;
}

static bool is_kept(struct str name)
{
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (str_eq_nocase(name, kept[i])) {
            return true;
        }
    }
    return str_find(name, STR("ratelimit")) != SIZE_MAX;
}

static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
    struct client *c = ctx;
    struct str value = str_trim(str_slice(p, n));
    uint64_t seconds;

    (void)size;
    if (str_starts(value, STR("HTTP/"))) { /* a further head: the one before was interim */
        buf_clear(&c->answer->head);
        return n;
    }
    struct str name = str_cut(&value, ':');
    value = str_trim(value);
    if (is_kept(name)) {
        buf_cat(&c->answer->head, name, STR(": "), value, STR("\n"));
    }
    if (str_eq_nocase(name, STR("retry-after")) && str_to_u64(value, &seconds)) {
        c->retry_ms = seconds > 86400 ? 86400000 : (int64_t)seconds * 1000;
    }
    return n;
}

static int watch(void *ctx, curl_off_t a, curl_off_t b, curl_off_t d, curl_off_t e)
{
    const struct client *c = ctx;

    (void)a, (void)b, (void)d, (void)e;
    return atomic_load(c->stop) != 0;
}

bool client_start(struct err *e)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ||
           err_set(e, "the HTTP library does not start");
}

struct client *client_new(const atomic_int *stop, bool (*may_send)(void *ctx), void *ctx)
{
    struct client *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        return NULL;
    }
    c->stop = stop;
    c->may_send = may_send;
    c->may_send_ctx = ctx;
    c->curl = curl_easy_init();
    if (c->curl == NULL) {
        free(c);
        return NULL;
    }
    return c;
}

void client_free(struct client *c)
{
    curl_easy_cleanup(c->curl);
    free(c);
}

void client_answer_init(struct client_answer *a)
{
    *a = (struct client_answer){.failure = ""};
    buf_init(&a->head, HEAD_MAX);
    buf_init(&a->arrivals, ARRIVALS_MAX);
    buf_init(&a->body, LIMIT_ASSAY_BODY);
}

void client_answer_release(struct client_answer *a)
{
    buf_release(&a->head);
    buf_release(&a->arrivals);
    buf_release(&a->body);
}

static void add_key(struct buf *line, const struct client_call *call)
{
    static const struct str before[] = {
        [CLIENT_BEARER] = STR_INIT("Authorization: Bearer "),
        [CLIENT_X_API_KEY] = STR_INIT("x-api-key: "),
        [CLIENT_X_GOOG_API_KEY] = STR_INIT("x-goog-api-key: "),
    };

    buf_cat(line, before[call->auth], call->key, str_slice("", 1));
}

static struct curl_slist *make_headers(const struct client_call *call)
{
    struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
    struct buf line;

    buf_init(&line, 8192);
    if (call->key.n > 0) {
        add_key(&line, call);
        list = curl_slist_append(list, line.p);
    }
    if (call->auth == CLIENT_X_API_KEY) {
        list = curl_slist_append(list, "anthropic-version: 2023-06-01");
    }
    if (call->body.n > 0) {
        list = curl_slist_append(list, "Content-Type: application/json");
        list = curl_slist_append(list, "Expect:");
    }
    buf_release(&line);
    return list;
}

static void free_headers(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l != NULL; l = l->next) {
        explicit_bzero(l->data, strlen(l->data));
    }
    curl_slist_free_all(list);
}

static void set_up(struct client *c, const struct client_call *call, const char *url,
                   struct curl_slist *headers)
{
    CURL *h = c->curl;

    curl_easy_reset(h); /* keeps the connection */
    curl_easy_setopt(h, CURLOPT_URL, url);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_USERAGENT, "entrepot-assay/" ENTREPOT_VERSION);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)LIMIT_CONNECT_MS);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)LIMIT_ASSAY_CALL_MS);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(h, CURLOPT_XFERINFODATA, c);
    if (str_starts(call->url, STR("http:"))) { /* a proxy would see the key */
        curl_easy_setopt(h, CURLOPT_PROXY, "");
    }
    if (call->body.n > 0) {
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, call->body.p);
    }
}

static const struct str late_answer = STR_INIT("it took too long");

static const char *failure_of(const struct client *c, CURLcode code)
{
    switch (code) {
    case CURLE_OK: return "";
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return "no such host";
    case CURLE_COULDNT_CONNECT: return "no connection";
    case CURLE_OPERATION_TIMEDOUT: return late_answer.p;
    case CURLE_ABORTED_BY_CALLBACK: return "stopped";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR: return "no TLS that can be trusted";
    case CURLE_WRITE_ERROR:
        return c->too_large ? "the answer is too large" : "the answer broke off";
    default: return "the connection broke";
    }
}

static void try_once(struct client *c, const struct client_call *call, const char *url)
{
    struct client_answer *a = c->answer;
    struct curl_slist *headers = make_headers(call);
    long status = 0;

    buf_clear(&a->head);
    buf_clear(&a->arrivals);
    buf_clear(&a->body);
    c->retry_ms = -1;
    c->too_large = false;
    a->first_us = 0;
    set_up(c, call, url, headers);
    a->sent_us = clock_wall_us();
    c->began_us = mono_us();
    CURLcode code = curl_easy_perform(c->curl);
    a->done_us = mono_us() - c->began_us;
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    a->failure = failure_of(c, code);
    a->status = code == CURLE_OK ? (unsigned)status : 0;
    a->tries++;
    a->doubtful += a->status == 0 || a->status >= 500;
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
    free_headers(headers);
}

/* Nothing that the seller decided: worth another try. What took too long once would again, and is
 * paid each time. */
static bool is_busy(const struct client_answer *a)
{
    bool late = a->status == 0 && str_eq(str_from(a->failure), late_answer);

    return (a->status == 0 && !late) || a->status == 408 || a->status == 429 || a->status >= 500;
}

/* False when it is not worth waiting any longer. */
static bool wait_before(const struct client *c, unsigned tries)
{
    int64_t ms = c->retry_ms >= 0 ? c->retry_ms : (int64_t)RETRY_FIRST_MS << (tries - 1);
    int64_t until = mono_us() + ms * 1000;

    if (ms > LIMIT_ASSAY_RETRY_MS) {
        return false;
    }
    while (mono_us() < until && atomic_load(c->stop) == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return atomic_load(c->stop) == 0;
}

void client_ask(struct client *c, const struct client_call *call, struct client_answer *a)
{
    struct buf url;

    buf_init(&url, 4096);
    buf_cat(&url, call->url, str_slice("", 1));
    c->answer = a;
    a->failure = url.overflow ? "the address is too long" : "no further request was let";
    while (!url.overflow && c->may_send(c->may_send_ctx)) {
        try_once(c, call, url.p);
        bool again = is_busy(a) && atomic_load(c->stop) == 0 && !c->too_large;
        if (!again || a->tries >= LIMIT_ASSAY_ATTEMPTS || !wait_before(c, a->tries)) {
            break;
        }
    }
    buf_release(&url);
}

bool client_url_valid(struct str url, struct err *e)
{
    struct str rest = url;

    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] <= ' ' || url.p[i] == '?' || url.p[i] == '#' || url.p[i] == '@') {
            return err_set(e, "the URL may hold no blank, '?', '#' or '@'");
        }
    }
    if (str_starts(url, STR("https://"))) {
        rest = str_skip(url, 8);
    } else if (str_starts(url, STR("http://"))) {
        rest = str_skip(url, 7);
    } else {
        return err_set(e, "the URL does not begin with http:// or https://");
    }
    return (rest.n > 0 && rest.p[0] != '/' && url.n < 2048) || err_set(e, "the URL has no host");
}

bool client_url_exposed(struct str url)
{
    struct str rest = str_skip(url, 7), host = str_cut(&rest, '/');
    struct ip_network here[2];
    struct ip ip;

    if (!str_starts(url, STR("http://"))) {
        return false;
    }
    if (str_starts(host, STR("["))) {
        host = str_skip(host, 1);
        host = str_cut(&host, ']');
    } else {
        host = str_cut(&host, ':');
    }
    bool numbers = ip_parse(host, &ip) && ip_network_parse(STR("127.0.0.0/8"), &here[0]) &&
                   ip_network_parse(STR("::1/128"), &here[1]);
    return !str_eq_nocase(host, STR("localhost")) && !(numbers && ip_in(&ip, here, 2));
}
