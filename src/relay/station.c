/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that is in force: swapped whole, counted by whoever works with it. */
#include "relay/relay_int.h"
#include "upstream/upstream.h"

void station_init(struct station *st, struct config *c)
{
    pthread_mutex_init(&st->config_lock, NULL);
    channels_prepare(c);
    st->config = config_ref(c);
}

struct config *station_config(struct station *st)
{
    pthread_mutex_lock(&st->config_lock);
    struct config *c = config_ref(st->config);
    pthread_mutex_unlock(&st->config_lock);
    return c;
}

void station_reconfigure(struct station *st, struct config *next)
{
    channels_prepare(next);
    pthread_mutex_lock(&st->config_lock);
    struct config *before = st->config;
    st->config = config_ref(next);
    st->config_number++;
    pthread_mutex_unlock(&st->config_lock);
    config_unref(before);
}

void station_release(struct station *st)
{
    config_unref(st->config);
    pthread_mutex_destroy(&st->config_lock);
}

bool station_closes(const struct station *st)
{
    return atomic_load(&st->draining) && !atomic_load(&st->lingers);
}
