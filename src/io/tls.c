/* SPDX-License-Identifier: Apache-2.0 */
/* TLS over a connection's own descriptor, by OpenSSL. Contexts are shared by threads, an SSL is
 * not. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "io/io_int.h"

#define RECORD_BYTES 16384

struct tls_server {
    SSL_CTX *ctx;
};

struct tls_client {
    SSL_CTX *ctx;
    pthread_mutex_t lock; /* guards session */
    SSL_SESSION *session; /* of the latest connection: saves a round of certificates */
    bool literal;         /* host is an address: no SNI, and the certificate must name it */
    char host[HOST_MAX + 1];
};

static SSL_CTX *ctx_new(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (ctx == NULL) {
        return NULL;
    }
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
    /* Idle connections are many, and callers come back with the same bytes at another place. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return ctx;
}

static const char *openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason != NULL ? reason : "unknown reason";
}

struct tls_server *tls_server_new(const char *cert_path, const char *key_path, struct err *e)
{
    struct tls_server *t = calloc(1, sizeof(*t));

    ERR_clear_error();
    if (t == NULL || (t->ctx = ctx_new(TLS_server_method())) == NULL) {
        err_set(e, "no memory for TLS");
    } else if (SSL_CTX_use_certificate_chain_file(t->ctx, cert_path) != 1) {
        err_set(e, "cannot use the certificate %s: %s", cert_path, openssl_reason());
    } else if (SSL_CTX_use_PrivateKey_file(t->ctx, key_path, SSL_FILETYPE_PEM) != 1 ||
               SSL_CTX_check_private_key(t->ctx) != 1) {
        err_set(e, "cannot use the key %s: %s", key_path, openssl_reason());
    } else {
        return t;
    }
    tls_server_free(t);
    return NULL;
}

void tls_server_free(struct tls_server *t)
{
    if (t != NULL) {
        SSL_CTX_free(t->ctx);
        free(t);
    }
}

static int client_session_new(SSL *ssl, SSL_SESSION *session)
{
    struct tls_client *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    pthread_mutex_lock(&t->lock);
    SSL_SESSION *old = t->session;
    t->session = session;
    pthread_mutex_unlock(&t->lock);
    SSL_SESSION_free(old);
    return 1; /* kept */
}

struct tls_client *tls_client_new(struct str host, const char *ca_path, struct err *e)
{
    static const unsigned char alpn[] = "\x08http/1.1";
    struct tls_client *t = calloc(1, sizeof(*t));
    struct addresses literal;

    ERR_clear_error();
    if (t == NULL || (t->ctx = ctx_new(TLS_client_method())) == NULL) {
        err_set(e, "no memory for TLS");
        free(t);
        return NULL;
    }
    pthread_mutex_init(&t->lock, NULL);
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        host = str_slice(host.p + 1, host.n - 2);
    }
    if (host.n == 0 || host.n > HOST_MAX) {
        err_set(e, "%.*s is not a host name for TLS", STR_ARG(host));
        tls_client_free(t);
        return NULL;
    }
    memcpy(t->host, host.p, host.n);
    t->literal = !str_eq_nocase(host, STR("localhost")) && resolve_literal(t->host, &literal);
    if ((ca_path == NULL ? SSL_CTX_set_default_verify_paths(t->ctx)
                         : SSL_CTX_load_verify_file(t->ctx, ca_path)) != 1) {
        err_set(e, "cannot read the certificates to trust (%s): %s",
                ca_path == NULL ? "the system's" : ca_path, openssl_reason());
        tls_client_free(t);
        return NULL;
    }
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_alpn_protos(t->ctx, alpn, sizeof(alpn) - 1);
    SSL_CTX_set_app_data(t->ctx, t);
    SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(t->ctx, client_session_new);
    return t;
}

void tls_client_free(struct tls_client *t)
{
    if (t != NULL) {
        SSL_SESSION_free(t->session);
        SSL_CTX_free(t->ctx);
        pthread_mutex_destroy(&t->lock);
        free(t);
    }
}

/* What a failed call means; a fatal one is remembered, since the SSL may not be used after it. */
static ssize_t tls_failed(struct conn *c, int result, bool writing)
{
    switch (SSL_get_error(c->tls, result)) {
    case SSL_ERROR_WANT_READ: c->write_wants_read = writing; return IO_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        c->read_wants_write = !writing;
        c->blocked = c->blocked || writing;
        return IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return writing ? IO_FAIL : IO_EOF;
    default: break;
    }
    unsigned long code = ERR_peek_last_error();
    long verify = SSL_get_verify_result(c->tls);
    if (!SSL_is_init_finished(c->tls) && verify != X509_V_OK) {
        c->error = X509_verify_cert_error_string(verify);
    } else if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        c->error = "TLS connection cut off without its end";
    } else {
        c->error = SSL_is_init_finished(c->tls) ? "TLS connection broken" : "TLS handshake failed";
    }
    c->broken = true;
    ERR_clear_error();
    return IO_FAIL;
}

int tls_handshake(struct conn *c)
{
    ERR_clear_error();
    int r = SSL_do_handshake(c->tls);
    if (r == 1) {
        return 1;
    }
    ssize_t why = tls_failed(c, r, false);
    if (why == IO_EOF) {
        c->error = "TLS handshake failed";
    }
    return why == IO_AGAIN ? 0 : -1;
}

/*
 * Fills p as far as it can, so that a short read means here, too, that nothing more is there. If
 * an end was met behind some bytes, the next read says so, and conn_again sees to that read.
 */
static ssize_t tls_read(struct conn *c, void *p, size_t n)
{
    size_t have = 0;
    ssize_t end = IO_AGAIN;

    if (c->broken) {
        return IO_FAIL;
    }
    ERR_clear_error();
    while (have < n) {
        size_t got = 0;
        int r = SSL_read_ex(c->tls, (char *)p + have, n - have, &got);
        if (r != 1) {
            end = tls_failed(c, r, false);
            break;
        }
        have += got;
    }
    if (have > 0 && end != IO_AGAIN) {
        conn_again(c);
    }
    return have > 0 ? (ssize_t)have : end;
}

/* Gathers small pieces, since each SSL_write makes a record with its own 22 bytes around it. */
static size_t gather(char *out, const struct iovec *v, int count, size_t skip)
{
    size_t n = 0;

    for (int i = 0; i < count && n < RECORD_BYTES; i++) {
        if (skip >= v[i].iov_len) {
            skip -= v[i].iov_len;
            continue;
        }
        size_t part = v[i].iov_len - skip;
        part = part < RECORD_BYTES - n ? part : RECORD_BYTES - n;
        memcpy(out + n, (const char *)v[i].iov_base + skip, part);
        n += part;
        skip = 0;
    }
    return n;
}

static ssize_t tls_write(struct conn *c, const struct iovec *v, int count)
{
    char record[RECORD_BYTES];
    size_t taken = 0;
    size_t most = 0;
    ssize_t end = 0;

    if (c->broken) {
        return IO_FAIL;
    }
    ERR_clear_error();
    for (;;) {
        size_t n = gather(record, v, count, taken);
        size_t done = 0;
        most = n > most ? n : most;
        if (n == 0) {
            break;
        }
        int r = SSL_write_ex(c->tls, record, n, &done);
        if (r != 1) {
            end = tls_failed(c, r, true);
            break;
        }
        taken += done;
    }
    explicit_bzero(record, most);
    return taken > 0 ? (ssize_t)taken : end;
}

/* Asks through the SSL: session tickets make the socket readable, but are nothing to read. */
static bool tls_quiet(struct conn *c)
{
    char byte;
    size_t got;

    if (c->broken) {
        return false;
    }
    ERR_clear_error();
    int r = SSL_peek_ex(c->tls, &byte, 1, &got);
    return r != 1 && tls_failed(c, r, false) == IO_AGAIN;
}

static void tls_end(struct conn *c)
{
    ERR_clear_error();
    if (!c->broken && SSL_is_init_finished(c->tls)) {
        (void)SSL_shutdown(c->tls); /* our close_notify, if the socket takes it; we do not wait */
    }
    SSL_free(c->tls);
    c->tls = NULL;
    ERR_clear_error();
}

static const struct transport tls_transport = {tls_read, tls_write, tls_quiet, tls_end};

static bool attach(struct conn *c, SSL *ssl)
{
    if (ssl == NULL || SSL_set_fd(ssl, c->fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return false;
    }
    c->tls = ssl;
    c->via = &tls_transport;
    return true;
}

bool tls_attach_server(struct conn *c, struct tls_server *t)
{
    if (!attach(c, SSL_new(t->ctx))) {
        return false;
    }
    SSL_set_accept_state(c->tls); /* reads and writes do the handshake on their way */
    return true;
}

bool tls_attach_client(struct conn *c, struct tls_client *t)
{
    SSL *ssl = SSL_new(t->ctx);
    bool named = ssl != NULL;

    if (named && t->literal) {
        named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), t->host) == 1;
    } else if (named) {
        named =
            SSL_set1_host(ssl, t->host) == 1 &&
            SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, t->host) == 1;
    }
    if (!named) {
        SSL_free(ssl);
        return false;
    }
    SSL_set_connect_state(ssl);
    pthread_mutex_lock(&t->lock);
    if (t->session != NULL) {
        (void)SSL_set_session(ssl, t->session);
    }
    pthread_mutex_unlock(&t->lock);
    return attach(c, ssl);
}
