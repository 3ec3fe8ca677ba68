/* SPDX-License-Identifier: Apache-2.0 */
/* A console around the network: one command a line.
 *
 *   info                what the network is, and where it lies
 *   selftest            the fixed input; PASS if the outputs are the generator's bit for bit
 *   bench               microseconds and cycles of every step
 *   input OFFSET HEX    bytes of the inputs, one input after the other
 *   run                 runs on what was given; prints the outputs as hexadecimal bytes
 *   reset               forgets what a network with a memory keeps from run to run
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "port.h"
#include "selftest.h"
#include "ts_crc32.h"

enum { LONGEST_LINE = 1200 };

static uint8_t *arena;
static uint8_t inputs[NETWORK_INPUT_BYTES], outputs[NETWORK_OUTPUT_BYTES];

static int shown(const char *typed)
{
    (void)typed;
    return 0;
}

static void take_outputs(void)
{
    uint8_t *to = outputs;
    for (unsigned index = 0; index < NETWORK_OUTPUTS; ++index) {
        memcpy(to, network_at(&network_outputs[index], arena), network_outputs[index].bytes);
        to += network_outputs[index].bytes;
    }
}

static void run_steps(void)
{
    for (unsigned index = 0; index < NETWORK_STEPS; ++index) {
        network_step(index, arena);
        port_breathe();
    }
    take_outputs();
}

static void show_tensors(const char *what, const network_tensor *tensors, unsigned count)
{
    for (unsigned index = 0; index < count; ++index) {
        const network_tensor *const tensor = &tensors[index];
        printf("%s %u %s %s %s, %lu bytes, scale %.9g, zero point %ld\n", what, index, tensor->name, tensor->type,
               tensor->shape, (unsigned long)tensor->bytes, (double)tensor->scale, (long)tensor->zero);
    }
}

static void info(void)
{
    printf("network %s %08lx, arena %d bytes and %d in PSRAM, weights %d bytes, %d steps, on %s\n", NETWORK_NAME,
           (unsigned long)NETWORK_ID, NETWORK_ARENA_BYTES, NETWORK_SLOW_BYTES, NETWORK_WEIGHT_BYTES, NETWORK_STEPS,
           port_chip());
    show_tensors("input", network_inputs, NETWORK_INPUTS);
    show_tensors("output", network_outputs, NETWORK_OUTPUTS);
    port_figures();
}

static int selftest(void)
{
    network_reset(arena);
    selftest_fill(arena);
    const int64_t start = port_us();
    run_steps();
    const int64_t us = port_us() - start;
    const uint32_t crc = ts_crc32(0, outputs, sizeof outputs);
    network_reset(arena);
    printf("selftest crc %08lx %s, %lld us\n", (unsigned long)crc, crc == selftest_crc ? "PASS" : "FAIL",
           (long long)us);
    return crc == selftest_crc;
}

/* The vector unit's kernels, if they compute the fixed input right; else the portable ones. */
static void choose_kernels(void)
{
    if (network_accelerate(1)) {
        printf("kernels %s\n", NETWORK_BACKEND);
        if (selftest()) {
            return;
        }
        network_accelerate(0);
    }
    printf("kernels portable\n");
    selftest();
}

static void bench(void)
{
    uint64_t sum = 0;
    selftest_fill(arena);
    for (unsigned index = 0; index < NETWORK_STEPS; ++index) {
        const int64_t start = port_us();
        const uint32_t before = port_cycles();
        network_step(index, arena);
        const uint32_t cycles = port_cycles() - before;
        printf("layer network %s %lu cycles %lld us\n", network_steps[index], (unsigned long)cycles,
               (long long)(port_us() - start));
        sum += cycles;
        port_breathe();
    }
    network_reset(arena);
    printf("bench network %llu cycles at %lu Hz\n", (unsigned long long)sum, (unsigned long)port_cycle_hz());
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void input(const char *words)
{
    char *text;
    unsigned long at = strtoul(words, &text, 10);
    text += *text == ' ';
    for (; digit(text[0]) >= 0 && digit(text[1]) >= 0 && at < sizeof inputs; text += 2) {
        inputs[at++] = (uint8_t)(digit(text[0]) * 16 + digit(text[1]));
    }
    if (*text != 0) {
        printf("ERR input must be OFFSET and pairs of hexadecimal digits within %lu bytes\n",
               (unsigned long)sizeof inputs);
    } else {
        printf("OK %lu\n", at);
    }
}

static void run(void)
{
    const uint8_t *from = inputs;
    for (unsigned index = 0; index < NETWORK_INPUTS; ++index) {
        memcpy(network_at(&network_inputs[index], arena), from, network_inputs[index].bytes);
        from += network_inputs[index].bytes;
    }
    const int64_t start = port_us();
    run_steps();
    const int64_t us = port_us() - start;
    printf("OK ");
    for (size_t at = 0; at < sizeof outputs; ++at) {
        printf("%02x", outputs[at]);
    }
    printf(" %lld us\n", (long long)us);
#if NETWORK_HAS_LABELS
    float value;
    const unsigned best = network_largest(arena, &value);
    printf("label %s %.4g\n", network_labels[best], (double)value);
#endif
}

static void reset(void)
{
    network_reset(arena);
    printf("OK\n");
}

static void command(const char *line)
{
    if (strcmp(line, "info") == 0) {
        info();
    } else if (strcmp(line, "selftest") == 0) {
        selftest();
    } else if (strcmp(line, "bench") == 0) {
        bench();
    } else if (strncmp(line, "input ", 6) == 0) {
        input(line + 6);
    } else if (strcmp(line, "run") == 0) {
        run();
    } else if (strcmp(line, "reset") == 0) {
        reset();
    } else {
        printf("ERR a command must be info, selftest, bench, input, run or reset\n");
    }
}

/* An arena, or NULL after saying why there is none. */
static uint8_t *memory_of(int bytes, int in_psram)
{
    uint8_t *const found = port_memory((size_t)bytes, in_psram);
    if (found == NULL) {
        printf("ERR no %d bytes of memory in one piece\n", bytes);
    } else if ((uintptr_t)found % NETWORK_ARENA_ALIGNMENT != 0) {
        printf("ERR the arena must start at a multiple of %d bytes\n", NETWORK_ARENA_ALIGNMENT);
        return NULL;
    }
    return found;
}

void app_main(void)
{
    static char line[LONGEST_LINE];
    port_console_open(shown);
    arena = memory_of(NETWORK_ARENA_BYTES, NETWORK_ARENA_IN_PSRAM);
    uint8_t *const slow = NETWORK_SLOW_BYTES > 0 ? memory_of(NETWORK_SLOW_BYTES, 1) : arena;
    if (arena == NULL || slow == NULL) {
        return;
    }
    network_use(slow);
    info();
    choose_kernels();
    printf("READY\n");
    fflush(stdout);
    for (int length = port_getline(line, sizeof line); length >= 0; length = port_getline(line, sizeof line)) {
        if (length == LONGEST_LINE - 1) {
            printf("ERR this line is too long\n");
        } else {
            command(line);
        }
        fflush(stdout);
    }
    port_end();
}
