/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entrepot assay: whether an endpoint sells what it says. Exit status: 0 nothing contradicts it and
 * something was decided, 1 asked wrongly, 2 nothing was decided, 3 something contradicts it, 4 it
 * could not be reached.
 */
#include "cli/assay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assay/probe.h"
#include "assay/report.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/cli.h"

#define REPORT_MAX (16 << 20)
#define READ_BYTES (64 << 10)

enum exit { EXIT_USAGE = 1, EXIT_UNREACHABLE = 4 };

static atomic_int stopped;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stopped, 1);
}

/* The first Ctrl-C ends the run with a report; the second ends the program. */
static void catch_signals(void)
{
    struct sigaction a = {.sa_flags = (int)SA_RESETHAND};

    a.sa_handler = on_signal;
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static bool write_all(int file, struct str s)
{
    while (s.n > 0) {
        ssize_t n = write(file, s.p, s.n);
        if (n <= 0) {
            return false;
        }
        s = str_skip(s, (size_t)n);
    }
    return true;
}

/* "-" is standard output, which then has nothing else. */
static bool is_stdout(const char *name)
{
    return name != NULL && strcmp(name, "-") == 0;
}

static void make_json(struct buf *out, const struct evidence *e, const struct verdicts *v,
                      enum lang lang)
{
    (void)lang;
    report_json(out, e, v);
}

/* Found out before anything is paid. */
static bool can_write(const char *name)
{
    int file = name == NULL || is_stdout(name) ? STDOUT_FILENO
                                               : open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (file < 0) {
        cli_fail(EXIT_USAGE, "assay: %s: %s", name, strerror(errno));
    } else if (file != STDOUT_FILENO) {
        close(file);
    }
    return file >= 0;
}

/* A report where it was asked for; NULL: it was not. */
static bool write_report(const char *name,
                         void (*make)(struct buf *, const struct evidence *,
                                      const struct verdicts *, enum lang),
                         const struct evidence *e, const struct verdicts *v, enum lang lang)
{
    struct buf text;

    if (name == NULL) {
        return true;
    }
    bool out = is_stdout(name);
    int file = out ? STDOUT_FILENO : open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    buf_init(&text, REPORT_MAX);
    make(&text, e, v, lang);
    bool ok = file >= 0 && !text.overflow && write_all(file, buf_str(&text));
    if (!out && file >= 0) {
        ok = close(file) == 0 && ok;
    }
    if (!ok) {
        cli_fail(EXIT_USAGE, "assay: %s: %s", name,
                 text.overflow ? "the report is too large" : strerror(errno));
    }
    buf_release(&text);
    return ok;
}

/* All that is said is a function of these lines. */
static int report(const struct assay_options *o, struct str lines)
{
    struct evidence e;
    struct verdicts v;
    struct buf text;
    struct err why = {""};

    evidence_init(&e);
    verdicts_init(&v);
    buf_init(&text, REPORT_MAX);
    int status = EXIT_USAGE;
    if (!evidence_read(&e, lines, &why)) {
        cli_fail(EXIT_USAGE, "assay: the evidence cannot be read: %s", why.text);
    } else {
        probes_judge(&e, &v);
        status = verdicts_status(&v);
        if (!is_stdout(o->json) && !is_stdout(o->html)) {
            report_text(&text, &e, &v, o->lang, isatty(STDOUT_FILENO));
            if (!write_all(STDOUT_FILENO, buf_str(&text))) {
                status = cli_fail(EXIT_USAGE, "assay: the report: %s", strerror(errno));
            }
        }
        if (!write_report(o->json, make_json, &e, &v, o->lang) ||
            !write_report(o->html, report_html, &e, &v, o->lang)) {
            status = EXIT_USAGE;
        }
    }
    buf_release(&text);
    verdicts_release(&v);
    evidence_release(&e);
    return status;
}

/* DIR/calls.jsonl */
static int open_calls(const char *folder, int flags, struct err *e)
{
    struct buf path;

    buf_init(&path, 4096);
    buf_addf(&path, "%s/calls.jsonl%c", folder, '\0');
    int file = path.overflow ? -1 : open(path.p, flags | O_CLOEXEC, 0600);
    if (file < 0) {
        err_set(e, "%s/calls.jsonl: %s", folder, path.overflow ? "too long" : strerror(errno));
    }
    buf_release(&path);
    return file;
}

static int recompute(const struct assay_options *o)
{
    struct err e = {""};
    struct buf lines;
    int file = open_calls(o->recompute, O_RDONLY, &e);
    ssize_t n = -1;

    if (file < 0) {
        return cli_fail(EXIT_USAGE, "assay: %s", e.text);
    }
    buf_init(&lines, LIMIT_ASSAY_EVIDENCE);
    for (char *at; (at = buf_reserve(&lines, READ_BYTES)) != NULL;) {
        n = read(file, at, READ_BYTES);
        if (n <= 0) {
            break;
        }
        lines.n += (size_t)n;
    }
    close(file);
    int status = n == 0 ? report(o, buf_str(&lines))
                        : cli_fail(EXIT_USAGE,
                                   "assay: %s/calls.jsonl is too large, or cannot be "
                                   "read",
                                   o->recompute);
    buf_release(&lines);
    return status;
}

static void describe(const struct assay_options *o, const struct run *r, struct evidence_head *h)
{
    struct plan_size size;

    run_measure(r, &size);
    *h = (struct evidence_head){
        .target = {o->sides[0].url, o->sides[0].speaker.model},
        .reference = {o->sides[1].url, o->sides[1].speaker.model},
        .profile = str_from(profile_name(o->profile)),
        .only = o->only,
        .version = STR(ENTREPOT_VERSION),
        .seed = o->seed,
        .started_us = (uint64_t)clock_wall_us(),
        .planned = size.calls[0] + size.calls[1],
    };
    if (r->price.known) {
        h->currency = str_from(r->price.price.currency.code);
        h->input_pico = (uint64_t)r->price.price.tiers[0].rate[LEAF_in];
        h->output_pico = (uint64_t)r->price.price.tiers[0].rate[LEAF_out];
        h->price_source = r->price.price.source;
    }
}

/* Where lines go as they come. A folder that holds evidence is not added to. */
static bool open_evidence(const struct assay_options *o, struct run *r, struct err *e)
{
    r->file = -1;
    if (o->evidence == NULL) {
        return true;
    }
    if (mkdir(o->evidence, 0700) != 0 && errno != EEXIST) {
        return err_set(e, "%s: %s", o->evidence, strerror(errno));
    }
    r->file = open_calls(o->evidence, O_WRONLY | O_CREAT | O_EXCL, e);
    return r->file >= 0;
}

static int execute(const struct assay_options *o, struct run *r)
{
    struct evidence_head head;
    struct err e = {""};
    struct buf lines;

    if (!open_evidence(o, r, &e) || !client_start(&e)) {
        return cli_fail(EXIT_USAGE, "assay: %s", e.text);
    }
    buf_init(&lines, LIMIT_ASSAY_EVIDENCE);
    r->evidence = &lines;
    describe(o, r, &head);
    enum run_end end = run_execute(r, &head, &e);
    assay_progress_end();
    if (r->file >= 0) {
        close(r->file);
    }
    if (end == RUN_DONE && e.text[0] != '\0') {
        cli_fail(EXIT_USAGE, "assay: %s", e.text);
    }
    int status = end == RUN_UNREACHABLE ? cli_fail(EXIT_UNREACHABLE, "assay: %s", e.text)
                                        : report(o, buf_str(&lines));
    buf_release(&lines);
    return status;
}

static int prepare(struct assay_options *o)
{
    struct run r = {.sides = {o->sides[0], o->sides[1]},
                    .threads = (unsigned)o->threads,
                    .max_calls = o->max_calls,
                    .max_nano = o->max_nano,
                    .stop = &stopped,
                    .progress = assay_progress};
    int status = EXIT_USAGE;

    r.ctx = &r;
    r.plan = plan_new(o->profile, o->sides[1].url.n > 0, o->seed, o->only);
    if (r.plan == NULL) {
        return cli_fail(EXIT_USAGE, "assay: no memory");
    }
    run_price_find(&r.price, o->sides[0].speaker.model, clock_wall_us());
    if (o->max_nano >= 0 && !r.price.known) {
        cli_fail(EXIT_USAGE,
                 "assay: what %.*s costs is not known here, so --max-cost cannot be "
                 "kept; --max-calls can",
                 STR_ARG(o->sides[0].speaker.model));
    } else if (can_write(o->json) && can_write(o->html) && assay_agreed(o, &r)) {
        status = execute(o, &r);
    }
    plan_free(r.plan);
    return status;
}

int cli_assay(int argc, char **argv)
{
    struct assay_options o = {0};

    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no core, no look by others: it holds a key */
    if (!assay_options_read(argc, argv, &o)) {
        return EXIT_USAGE;
    }
    if (o.recompute != NULL) {
        return recompute(&o);
    }
    catch_signals();
    int status = assay_keys(&o) ? prepare(&o) : EXIT_USAGE;
    for (int i = 0; i < 2; i++) {
        buf_release(&o.keys[i]);
    }
    return status;
}
