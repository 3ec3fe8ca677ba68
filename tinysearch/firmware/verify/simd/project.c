/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of the backend pie for an emitted project on this machine. Follows model.h, the translation and, by name,
 * MODEL_KERNEL(kernel) for each. */

static uint64_t pie_total;

static void pie_report(void)
{
    fprintf(stderr, "pie %llu instructions\n", (unsigned long long)pie_total);
}

static void pie_call(const char *name, void (*kernel)(uint32_t *, uint32_t), const void *layer, const void *left,
                     const void *right, void *output, void *scratch)
{
    char message[sizeof pie_message];
    if (pie_total == 0)
        atexit(pie_report);
    const int64_t count = pie_run(kernel, layer, left, right, output, scratch, message);
    if (count < 0) {
        fprintf(stderr, "ERR %s: %s\n", name, message);
        exit(1);
    }
    pie_total += (uint64_t)count;
}

#define MODEL_KERNEL(name)                                                                                 \
    void name(const void *layer, const void *left, const void *right, void *output, void *scratch);        \
    void name(const void *layer, const void *left, const void *right, void *output, void *scratch)         \
    {                                                                                                      \
        pie_call(#name, model_##name, layer, left, right, output, scratch);                                \
    }
