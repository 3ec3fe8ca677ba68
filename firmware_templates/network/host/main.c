/* SPDX-License-Identifier: Apache-2.0 */
/* The network of the device on a host, or on the device's instruction set under an emulator.
 *
 *   run              golden vectors bit for bit; exit status 0 if all agree
 *   run FILE..       all inputs one after the other as raw bytes in, the outputs as raw bytes on standard output; a
 *                    network with a memory takes the files as one stream
 *   run --label FILE..  the name of the largest output instead, and its value, a line a file; where names were given
 */
#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "instructions.h"
#include "network.h"
#include "ts_crc32.h"

#ifndef GOLDEN_LIMIT
#define GOLDEN_LIMIT 1000000u /* an emulator may check fewer */
#endif

static uint8_t arena[NETWORK_ARENA_BYTES] __attribute__((aligned(NETWORK_ARENA_ALIGNMENT)));
static uint8_t slow[NETWORK_SLOW_BYTES > 0 ? NETWORK_SLOW_BYTES : 1] __attribute__((aligned(NETWORK_ARENA_ALIGNMENT)));
static uint8_t inputs[NETWORK_INPUT_BYTES], outputs[NETWORK_OUTPUT_BYTES];

/* Arenas that are undefined but for what the network keeps. */
static void begin(void)
{
    memset(arena, 0xA5, sizeof arena);
    memset(slow, 0xA5, sizeof slow);
    network_use(slow);
    network_reset(arena);
}

/* Inputs to their places; nothing else is left of another run but states. */
static void fill(const uint8_t *values)
{
    if (NETWORK_STATES == 0) {
        begin();
    }
    for (unsigned index = 0; index < NETWORK_INPUTS; ++index) {
        memcpy(network_at(&network_inputs[index], arena), values, network_inputs[index].bytes);
        values += network_inputs[index].bytes;
    }
}

static void take(uint8_t *values)
{
    for (unsigned index = 0; index < NETWORK_OUTPUTS; ++index) {
        memcpy(values, network_at(&network_outputs[index], arena), network_outputs[index].bytes);
        values += network_outputs[index].bytes;
    }
}

static int check(const char *by, uint32_t number)
{
    fill(golden_inputs + (size_t)number * NETWORK_INPUT_BYTES);
    network_run(arena);
    take(outputs);
    const int same = memcmp(outputs, golden_outputs + (size_t)number * NETWORK_OUTPUT_BYTES, sizeof outputs) == 0;
    printf("golden %s %lu crc %08lx %s\n", by, (unsigned long)number,
           (unsigned long)ts_crc32(0, outputs, sizeof outputs), same ? "equal" : "DIFFERS");
    return same;
}

/* The first golden vector step by step, with instructions where they are counted. */
static void count_steps(void)
{
    unsigned long sum = 0;
    if (instructions() == 0) {
        return;
    }
    begin();
    fill(golden_inputs);
    for (unsigned index = 0; index < NETWORK_STEPS; ++index) {
        const unsigned long start = instructions();
        network_step(index, arena);
        const unsigned long count = instructions() - start;
        sum += count;
        printf("layer network step_%u %lu\n", index, count);
    }
    printf("branch network %lu\n", sum);
}

static int check_golden(const char *by)
{
    int passed = 1;
    begin();
    for (uint32_t number = 0; number < golden_count && number < GOLDEN_LIMIT; ++number) {
        passed &= check(by, number);
    }
    return passed;
}

static int check_all(void)
{
    int passed = check_golden("network");
    count_steps();
    if (network_accelerate(1)) {
        passed &= check_golden(NETWORK_BACKEND);
    }
    printf(passed ? "OK golden vectors\n" : "ERR golden vectors\n");
    return !passed;
}

static int show(int named)
{
#if NETWORK_HAS_LABELS
    if (named) {
        float value;
        const unsigned best = network_largest(arena, &value);
        return printf("%s %.4g\n", network_labels[best], (double)value) > 0 ? 0 : 1;
    }
#else
    (void)named;
#endif
    take(outputs);
    return fwrite(outputs, 1, sizeof outputs, stdout) == sizeof outputs ? 0 : 1;
}

static int run_file(const char *name, int named)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        fprintf(stderr, "ERR %s cannot be read\n", name);
        return 2;
    }
    const size_t count = fread(inputs, 1, sizeof inputs, file);
    const int more = fgetc(file) != EOF;
    fclose(file);
    if (count != sizeof inputs || more) {
        fprintf(stderr, "ERR %s must have %lu bytes\n", name, (unsigned long)sizeof inputs);
        return 2;
    }
    fill(inputs);
    network_run(arena);
    return show(named);
}

int main(int count, char **words)
{
    int status = 0;
    if (count < 2) {
        return check_all();
    }
    const int named = NETWORK_HAS_LABELS && strcmp(words[1], "--label") == 0;
    begin();
    for (int index = 1 + named; index < count && status == 0; ++index) {
        status = run_file(words[index], named);
    }
    return status;
}
