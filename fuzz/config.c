/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a configuration or a list of mistakes, never both and never neither. */
#include <assert.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct config_vendor rows[] = {
        {.name = "openai", .env = "OPENAI_API_KEY", .base = "https://api.openai.com/v1"}};
    static const char *const losses[] = {"stop", "top_k"};
    static const struct config_rate rates[] = {
        {"input", false}, {"output", false}, {"search", true}};
    static const char *const services[] = {"batch"};
    static const struct config_vendors vendors = {.rows = rows,
                                                  .count = 1,
                                                  .rates = rates,
                                                  .rate_count = 3,
                                                  .output = 1,
                                                  .services = services,
                                                  .service_count = 1,
                                                  .losses = losses,
                                                  .loss_count = 2};
    struct buf errors;
    buf_init(&errors, 1 << 20);
    struct config *c = config_parse("f", str_slice((const char *)data, size), &vendors, &errors);
    assert((c == NULL) == (errors.n > 0 || errors.overflow));
    if (c != NULL) {
        for (unsigned i = 0; i < c->model_count; i++) {
            assert(config_model(c, c->models[i].name) == &c->models[i]);
        }
        config_unref(c);
    }
    buf_release(&errors);
    return 0;
}
