/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of int8 and XNOR networks by the vector unit of the ESP32-S3 (its "PIE" instructions), in assembly of ours. They compute
 * what the portable kernels compute, bit for bit.
 *
 * Layout   tensors as the portable kernels have them, at any address.
 * Aliasing the output is apart from the inputs, but where a kernel's own header says that it may equal one.
 * Scratch  what a layer's block says (TS_PIE_SCRATCH_BYTES), which the planner of the arena knows, aligned to 16; contents
 *          undefined before and after.
 *
 * Two tasks may compute such steps at once: ESP-IDF keeps the vector registers for each task, and they may be interrupted. An
 * interrupt handler may not use them.
 *
 * A program without these instructions links all the same: ts_pie_scratch_bytes then says so, and nothing else may be called. */
#ifndef TS_PIE_H
#define TS_PIE_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    TS_PIE_CONV_S8,
    TS_PIE_FULLY_CONNECTED_S8,
    TS_PIE_XNOR_CONV,
    TS_PIE_DEPTHWISE_S8,
    TS_PIE_ADD_S8,
    TS_PIE_MAX_POOL_S8,
    TS_PIE_AVERAGE_S8,
    TS_PIE_PACK_S8,
    TS_PIE_OPERATORS
} ts_pie_operator;

typedef struct {
    ts_pie_operator op;
    const int8_t *block; /* constants as in ts_pie_layout.h, aligned to 16 */
} ts_pie_layer;

/* 0: the steps need no scratch but that in the arena; or -1 where this program cannot compute them: another chip, a block that
 * is not aligned. */
int32_t ts_pie_scratch_bytes(const ts_pie_layer *const *layers, unsigned count);

/* One step; `right` is the second input of an addition, else NULL. */
void ts_pie_step(const ts_pie_layer *layer, const void *left, const void *right, void *output, void *scratch);

#endif
