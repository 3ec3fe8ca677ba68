/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of int8 and XNOR networks by the vector unit of ESP32-P4 and ESP32-S31 (the extension "xespv", Espressif's PIE on
 * RISC-V), in assembly of ours. They compute what the portable kernels compute, bit for bit, in a model of their instructions: not
 * run on a chip or an emulator.
 *
 * Layout   tensors as the portable kernels have them, at any address.
 * Aliasing the output is apart from the inputs, but where a kernel's own header says that it may equal one.
 * Scratch  what a layer's block says (TS_XESPV_SCRATCH_BYTES), which the planner of the arena knows, aligned to 16; contents
 *          undefined before and after.
 *
 * Two tasks may compute such steps at once: ESP-IDF keeps the vector registers for each task, of the P4 from 5.4 on, and they may
 * be interrupted. An interrupt handler may not use them. The unit's modes (CFG) are neither read nor written.
 *
 * A program without these instructions links all the same: ts_xespv_scratch_bytes then says so, and nothing else may be called. */
#ifndef TS_XESPV_H
#define TS_XESPV_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    TS_XESPV_CONV_S8,
    TS_XESPV_DEPTHWISE_S8,
    TS_XESPV_MAX_POOL_S8,
    TS_XESPV_AVERAGE_S8,
    TS_XESPV_XNOR_CONV,
    TS_XESPV_ADD_S8,
    TS_XESPV_PACK_S8,
    TS_XESPV_OPERATORS
} ts_xespv_operator;

typedef struct {
    ts_xespv_operator op;
    const int8_t *block; /* constants as in ts_xespv_layout.h, aligned to 16 */
} ts_xespv_layer;

/* 0: the steps need no scratch but that in the arena; or -1 where this program cannot compute them: another chip, a block that
 * is not aligned. */
int32_t ts_xespv_scratch_bytes(const ts_xespv_layer *const *layers, unsigned count);

/* One step; `right` is the second input of an addition, else NULL. */
void ts_xespv_step(const ts_xespv_layer *layer, const void *left, const void *right, void *output, void *scratch);

#endif
