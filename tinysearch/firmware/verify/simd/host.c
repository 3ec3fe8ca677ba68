/* SPDX-License-Identifier: Apache-2.0 */
/* One call of a translated kernel, for ctypes. Follows model.h and the translation in one file. */

/* Runs `kernel` with (layer, left, right, output, scratch); sizes are those of the layer's header. NULL for `right` where there
 * is none; `output` may be `left` or `right`, and then has room for it. Gives the instructions executed, or -1 with the broken rule in `message` (200 bytes). */
int64_t pie_run(void (*kernel)(uint32_t *, uint32_t), const void *layer, const void *left, const void *right, void *output,
                void *scratch, char *message);
int64_t pie_run(void (*kernel)(uint32_t *, uint32_t), const void *layer, const void *left, const void *right, void *output,
                void *scratch, char *message)
{
    static uint8_t stack[PIE_STACK_BYTES] __attribute__((aligned(16)));
    const uint32_t *words = (const uint32_t *)layer;
    uint32_t window[8] = {0};
    pie_instructions = 0;
    memset(pie_q, 0xA5, sizeof pie_q);
    pie_accx = 0x5A5A5A5A;
    memset(pie_wide, 0x5A, sizeof pie_wide);
    memset(pie_narrow, 0x5A, sizeof pie_narrow);
    memset(pie_words, 0x5A, sizeof pie_words);
    if (setjmp(pie_escape) != 0) {
        memcpy(message, pie_message, sizeof pie_message);
        return -1;
    }
    window[2] = pie_map(1, layer, words[0], 0);
    const uint32_t room = output == left && words[1] > words[3] ? words[1] : words[3];
    window[5] = pie_map(4, output, room, 1);
    window[3] = output == left ? window[5] : pie_map(2, left, words[1], 0);
    window[4] = output == right ? window[5] : pie_map(3, right, words[2], 0);
    window[6] = pie_map(5, scratch, words[4], 1);
    kernel(window, pie_map(PIE_STACK_SEGMENT, stack, PIE_STACK_BYTES, 1) + PIE_STACK_BYTES);
    return (int64_t)pie_instructions;
}

/* A buffer that a call of pie_run_words names by its address in the model. */
uint32_t pie_place(unsigned segment, const void *host, uint32_t bytes, int writable);
uint32_t pie_place(unsigned segment, const void *host, uint32_t bytes, int writable)
{
    return pie_map(segment, host, bytes, writable);
}

/* As pie_run, with `count` words as arguments: six in registers, the rest on the stack. */
int64_t pie_run_words(void (*kernel)(uint32_t *, uint32_t), const uint32_t *words, unsigned count, char *message);
int64_t pie_run_words(void (*kernel)(uint32_t *, uint32_t), const uint32_t *words, unsigned count, char *message)
{
    static uint8_t stack[PIE_STACK_BYTES] __attribute__((aligned(16)));
    const uint32_t top = PIE_STACK_BYTES - 256;
    uint32_t window[8] = {0};
    pie_instructions = 0;
    if (setjmp(pie_escape) != 0) {
        memcpy(message, pie_message, sizeof pie_message);
        return -1;
    }
    for (unsigned i = 0; i < count; ++i) {
        if (i < 6)
            window[2 + i] = words[i];
        else
            memcpy(stack + top + 4 * (i - 6), words + i, 4);
    }
    kernel(window, pie_map(PIE_STACK_SEGMENT, stack, PIE_STACK_BYTES, 1) + top);
    return (int64_t)pie_instructions;
}
