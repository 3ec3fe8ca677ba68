/* SPDX-License-Identifier: Apache-2.0 */
/* Binary convolution, bit planes to bit planes or to int8; a fully connected layer is the one whose kernel is the whole map.
 *
 * void ts_pie_xnor_conv(const void *layer, const uint32_t *input, const void *right, void *output, void *scratch)
 *
 * layer    a block of constants as in ts_pie_layout.h.
 * input    bit planes [in_height][in_width][activation_bits][words], aligned to 4, unused bits zero.
 * right    not used.
 * output   bit planes [out_height][out_width][out_bits][words], aligned to 4; or int8 [out_height][out_width][channels], any
 *          address. Apart from the input.
 * scratch  TS_PIE_SCRATCH_BYTES, aligned to 16, contents undefined before and after.
 *
 * 128 pixels lie side by side in a vector. A channel's sum of products plus its limit is w * (total - sum of activations) + 2 *
 * (sum of the activations whose weight has bit 0 set) + 4 * (bit 1), w = 2^weight_bits - 1: the first part is the same for all
 * channels, the others add the planes on lists of set bits, which are made at generation: for two channels one of the planes that
 * both add, and for each the others, three quarters of what two lists would hold. Thresholds are compared bit by bit.
 */
#include "ts_pie_requantize.h"
#include "ts_pie_turn_bits.h"

#define FRAME 128
#define INPUT 0
#define OUTPUT 4
#define PIXEL 8       /* first of the tile */
#define ROW 12        /* where it is */
#define COLUMN 16
#define COUNT 20      /* of the tile */
#define CHANNEL 24
#define GROUP 28      /* channels of the group */
#define LEFT 32       /* of them */
#define PLANE_BYTES 36 /* of the planes of a sum that can be other than zero */
#define SUM_PLANES 40 /* that are there */
#define LIST 44
#define BIT 48
#define PLANES 52
#define PLACE 56      /* where the group's results go in the first pixel */
#define RESULT 60
#define CHUNK 64
#define SUM 68
#define SOURCE 72     /* sum that is copied, */
#define REGION 76     /* and where to before lists are added */

    .text
    .align 4
    .global ts_pie_xnor_conv
    .type ts_pie_xnor_conv, @function
ts_pie_xnor_conv:
    entry a1, FRAME
    movi a8, 0
    l32i a9, a2, TS_PIE_X_SUM_PLANES
    l32i a10, a2, TS_PIE_X_SCRATCH_SUMS
    s32i a3, a1, INPUT
    s32i a5, a1, OUTPUT
    s32i a8, a1, PIXEL
    s32i a8, a1, ROW
    s32i a8, a1, COLUMN
    add a3, a10, a6              /* a3: the sum */
    slli a9, a9, 4
    l32i a11, a2, TS_PIE_X_KEPT_PLANES
    s32i a9, a1, PLANE_BYTES
    s32i a11, a1, SUM_PLANES
    movi a11, 320                /* a4: its common part, behind 20 planes */
    add a4, a3, a11

.Ltile:
    l32i a8, a1, PIXEL
    l32i a9, a2, TS_PIE_X_PIXELS
    l32i a12, a2, TS_PIE_X_SCRATCH_PLANES
    movi a15, TS_PIE_X_LANES
    sub a9, a9, a8
    add a12, a12, a6
    minu a15, a15, a9
    s32i a12, a1, PLANES
    s32i a15, a1, COUNT
    mov a10, a2
    l32i a11, a1, INPUT
    l32i a13, a1, ROW
    l32i a14, a1, COLUMN
    call8 ts_pie_xnor_planes

    ee.zero.q q0                 /* the sum of all activations */
    mov a8, a3
    movi a9, 20
    loop a9, 1f
    ee.vst.128.ip q0, a8, 16
1:  l32i a8, a2, TS_PIE_X_EVERY
    add a8, a8, a2
    s32i a8, a1, LIST
    mov a5, a3
    l32i a9, a2, TS_PIE_X_ACTIVATION_BITS
    s32i a9, a1, BIT
    l32i a7, a1, PLANES
.Lall:
    l32i a8, a1, LIST
    l32i a12, a8, 0
    l32i a11, a8, 4
    l32i a10, a8, 8
    l32i a14, a2, TS_PIE_X_SCRATCH_CARRIES
    l32i a9, a2, TS_PIE_X_STEPS
    add a12, a12, a7
    add a10, a10, a2
    add a10, a10, a9
    mov a13, a5
    add a14, a14, a6
    l32i a15, a1, PLANE_BYTES
    add a15, a15, a3
    call8 ts_pie_xnor_count
    l32i a8, a2, TS_PIE_X_PLANE_BYTES
    l32i a9, a1, BIT
    addi a5, a5, 16
    add a7, a7, a8
    addi a9, a9, -1
    s32i a9, a1, BIT
    bnez a9, .Lall

    l32i a8, a1, SUM_PLANES      /* total less that */
    l32i a9, a2, TS_PIE_X_TOTAL
    ee.zero.q q0
    mov a10, a3
    mov a11, a4
    ee.notq q0, q0
    loop a8, 1f
    ee.vld.128.ip q1, a10, 16
    ee.notq q1, q1
    ee.xorq q2, q1, q0
    bbci a9, 0, 2f
    ee.notq q2, q2
    ee.orq q0, q0, q1
    j 3f
2:  ee.andq q0, q0, q1
3:  srli a9, a9, 1
    ee.vst.128.ip q2, a11, 16
1:  l32i a9, a2, TS_PIE_X_WEIGHT_BITS
    beqi a9, 1, .Lcommon
    mov a10, a4                  /* three times it */
    ee.zero.q q0
    ee.zero.q q2
    loop a8, 1f
    ee.vld.128.ip q1, a10, 0
    mv.qr q3, q1
    TS_PIE_ADD_BITS(q0, q1, q2, q7)
    ee.vst.128.ip q0, a10, 16
    mv.qr q0, q1
    mv.qr q2, q3
1:
.Lcommon:
    movi a8, 0
    l32i a9, a2, TS_PIE_X_LISTS
    l32i a10, a1, OUTPUT
    s32i a8, a1, CHANNEL
    s32i a10, a1, PLACE
    add a7, a9, a2               /* a7: the list */

.Lgroup:
    l32i a8, a2, TS_PIE_CHANNELS
    l32i a9, a1, CHANNEL
    l32i a10, a2, TS_PIE_X_OUT_BITS
    sub a8, a8, a9
    movi a9, 32
    bnez a10, 1f
    movi a9, 16
1:  minu a8, a8, a9
    l32i a10, a2, TS_PIE_X_SCRATCH_RESULTS
    s32i a8, a1, GROUP
    s32i a8, a1, LEFT
    add a10, a10, a6
    s32i a10, a1, RESULT

.Lchannel:                       /* of two channels first what both add, on the common part, then what each adds, on that */
    l32i a8, a1, CHANNEL
    addmi a10, a3, 768
    s32i a10, a1, SOURCE
    s32i a3, a1, REGION
    bbsi a8, 0, .Lsum
    s32i a4, a1, SOURCE
    s32i a10, a1, REGION
.Lsum:
    l32i a8, a1, SUM_PLANES
    l32i a9, a1, SOURCE
    l32i a10, a1, REGION
    mov a11, a10
    loop a8, 1f
    ee.vld.128.ip q0, a9, 16
    ee.vst.128.ip q0, a10, 16
1:  l32i a8, a2, TS_PIE_X_WEIGHT_BITS
    addi a9, a11, 16
    s32i a8, a1, LIST
    s32i a9, a1, SUM
.Lweight_bit:
    l32i a9, a2, TS_PIE_X_ACTIVATION_BITS
    l32i a5, a1, SUM
    l32i a8, a1, PLANES
    s32i a9, a1, BIT
.Lactivation_bit:
    l32i a12, a7, 0
    l32i a11, a7, 4
    l32i a10, a7, 8
    l32i a14, a2, TS_PIE_X_SCRATCH_CARRIES
    add a12, a12, a8
    l32i a9, a2, TS_PIE_X_STEPS
    s32i a8, a1, CHUNK
    add a10, a10, a2
    add a10, a10, a9
    l32i a15, a1, PLANE_BYTES
    l32i a9, a1, REGION
    mov a13, a5
    add a14, a14, a6
    add a15, a15, a9
    call8 ts_pie_xnor_count
    l32i a8, a1, CHUNK
    l32i a9, a2, TS_PIE_X_PLANE_BYTES
    l32i a10, a1, BIT
    addi a5, a5, 16
    add a8, a8, a9
    addi a10, a10, -1
    s32i a10, a1, BIT
    bnez a10, .Lactivation_bit
    l32i a8, a1, SUM
    l32i a9, a1, LIST
    addi a7, a7, TS_PIE_X_LIST_BYTES
    addi a8, a8, 16
    addi a9, a9, -1
    s32i a8, a1, SUM
    s32i a9, a1, LIST
    bnez a9, .Lweight_bit
    l32i a8, a1, REGION
    beq a8, a3, 1f
    s32i a8, a1, SOURCE
    s32i a3, a1, REGION
    j .Lsum
1:
    l32i a8, a2, TS_PIE_X_OUT_BITS
    l32i a9, a1, CHANNEL
    beqz a8, .Lnumbers

    movi a10, 1                  /* thresholds */
    ssl a8
    sll a10, a10
    addi a10, a10, -1            /* a10: how many */
    l32i a12, a2, TS_PIE_X_THRESHOLDS
    mull a11, a10, a9
    l32i a5, a1, RESULT
    add a12, a12, a2
    addx4 a11, a11, a12          /* a11: the channel's */
    l32i a13, a2, TS_PIE_X_SUM_PLANES
    addmi a12, a4, 256           /* a12: where comparisons go, behind the common part */
    addi a12, a12, 64
.Lthreshold:
    l32i a9, a11, 0
    ee.zero.q q0
    mov a14, a3
    ee.notq q0, q0
    loop a13, 1f
    ee.vld.128.ip q1, a14, 16
    bbsi a9, 0, 2f
    ee.orq q0, q0, q1
    j 3f
2:  ee.andq q0, q0, q1
3:  srli a9, a9, 1
1:  ee.vst.128.ip q0, a12, 16
    addi a11, a11, 4
    addi a10, a10, -1
    bnez a10, .Lthreshold
    bgei a8, 2, 1f
    ee.vst.128.ip q0, a5, 0      /* one: the level */
    j .Lleveled
1:  bgei a8, 3, 1f
    addi a12, a12, -48
    ee.vld.128.ip q0, a12, 16    /* three: 1 from the first to the second and from the third on, 2 from the second on */
    ee.vld.128.ip q1, a12, 16
    ee.vld.128.ip q2, a12, 16
    ee.xorq q0, q0, q1
    ee.xorq q0, q0, q2
    addmi a9, a5, 512
    ee.vst.128.ip q0, a5, 0
    ee.vst.128.ip q1, a9, 0
    j .Lleveled
1:  addi a12, a12, -112
    ee.vld.128.ip q0, a12, 16    /* seven: ones change at each, twos at every second, fours at the fourth */
    ee.vld.128.ip q1, a12, 16
    ee.vld.128.ip q2, a12, 16
    ee.vld.128.ip q3, a12, 16
    ee.vld.128.ip q4, a12, 16
    ee.vld.128.ip q5, a12, 16
    ee.vld.128.ip q6, a12, 16
    ee.xorq q1, q1, q3
    ee.xorq q1, q1, q5           /* twos */
    ee.xorq q0, q0, q1
    ee.xorq q0, q0, q2
    ee.xorq q0, q0, q4
    ee.xorq q0, q0, q6           /* ones */
    addmi a9, a5, 512
    addmi a10, a5, 1024
    ee.vst.128.ip q0, a5, 0
    ee.vst.128.ip q1, a9, 0
    ee.vst.128.ip q3, a10, 0
.Lleveled:
    addi a5, a5, 16
    s32i a5, a1, RESULT
    j .Lnext

.Lnumbers:                       /* 16 planes to 128 numbers: word k holds those of pixels 4 k + l and 64 + 4 k + l */
    TS_PIE_MASK(q4, 0x00ff00ff, a8)
    TS_PIE_MASK(q5, 0x0f0f0f0f, a8)
    mov a8, a3
    movi a10, 4
    loop a10, 1f
    TS_PIE_FOUR(64, 8, 4)
1:  TS_PIE_MASK(q4, 0x33333333, a8)
    TS_PIE_MASK(q5, 0x55555555, a8)
    mov a8, a3
    movi a10, 4
.Lfour:
    TS_PIE_FOUR(16, 2, 1)
    addi a8, a8, 48
    addi a10, a10, -1
    bnez a10, .Lfour

    l32i a11, a2, TS_PIE_X_THRESHOLDS /* a11: the record */
    l32i a9, a1, CHANNEL
    slli a9, a9, 5
    add a11, a11, a2
    add a11, a11, a9
    movi a13, 4                  /* a13: chunks of 16 pixels in each half */
    l32i a5, a1, RESULT          /* a5: where the first goes */
    mov a14, a3
.Lchunk:                         /* q0: pixels 0 .. 7, q2: 8 .. 15, q1 and q3: those 64 further */
    movi a15, 0
    movi a12, 1024
    add a12, a12, a5
.Lhalf:
    ee.vld.128.ip q0, a14, 16
    ee.vld.128.ip q1, a14, 16
    ee.vld.128.ip q2, a14, 16
    ee.vld.128.ip q3, a14, -48
    ee.vunzip.16 q0, q1
    ee.vunzip.16 q2, q3
    beqz a15, 1f
    mv.qr q0, q1
    mv.qr q2, q3
1:  ee.zero.q q1
    ee.zero.q q3
    ee.vldbc.32 q5, a11
    ssai 8
    ee.vzip.16 q0, q1
    ee.vzip.16 q2, q3
    ee.vsl.32 q0, q0
    ee.vsl.32 q1, q1
    ee.vsl.32 q2, q2
    ee.vsl.32 q3, q3
    ee.vadds.s32 q0, q0, q5
    ee.vadds.s32 q1, q1, q5
    ee.vadds.s32 q4, q2, q5
    ee.vadds.s32 q6, q3, q5
    ee.vunzip.16 q0, q1
    mv.qr q2, q1
    ee.vunzip.16 q4, q6
    movi a8, 16
    movi a9, 0
    TS_PIE_SIXTEEN(a11, a10, a8, a9, a4)
    bnez a15, 1f
    ee.vst.128.ip q4, a5, 0
    movi a15, 1
    j .Lhalf
1:  ee.vst.128.ip q4, a12, 0
    addi a14, a14, 64
    addmi a5, a5, 256
    addi a13, a13, -1
    bnez a13, .Lchunk
    l32i a5, a1, RESULT
    movi a11, 320
    addi a5, a5, 16
    add a4, a3, a11
    s32i a5, a1, RESULT

.Lnext:
    l32i a8, a1, CHANNEL
    l32i a9, a1, LEFT
    addi a8, a8, 1
    addi a9, a9, -1
    s32i a8, a1, CHANNEL
    s32i a9, a1, LEFT
    beqz a9, 1f
    j .Lchannel
1:  l32i a8, a2, TS_PIE_X_OUT_BITS
    bnez a8, .Lbits

    movi a9, 0                   /* int8: 16 channels of every 16 pixels */
    s32i a9, a1, CHUNK
.Lstore:
    l32i a8, a1, CHUNK
    l32i a9, a1, COUNT
    l32i a10, a2, TS_PIE_X_SCRATCH_RESULTS
    slli a11, a8, 8
    slli a12, a8, 4
    add a10, a10, a11
    sub a9, a9, a12
    add a10, a10, a6
    movi a11, 16
    l32i a14, a2, TS_PIE_CHANNELS
    l32i a13, a1, PLACE
    minu a11, a11, a9
    mull a15, a14, a12
    blti a9, 1, .Lstored
    addi a8, a8, 1
    add a13, a13, a15
    s32i a8, a1, CHUNK
    l32i a15, a2, TS_PIE_X_SCRATCH_PLANES
    l32i a12, a1, GROUP
    addmi a15, a15, -512
    add a15, a15, a6
    call8 ts_pie_store_s8
    l32i a8, a1, CHUNK
    bnei a8, 8, .Lstore
.Lstored:
    l32i a8, a1, PLACE
    addi a8, a8, 16
    s32i a8, a1, PLACE
    j .Lgroup_done

.Lbits:
    l32i a9, a2, TS_PIE_X_SCRATCH_RESULTS
    l32i a10, a1, GROUP
    movi a11, 32
    add a5, a9, a6               /* a5: the group's planes of one bit */
    sub a11, a11, a10
    s32i a8, a1, BIT
    l32i a9, a1, PLACE
    s32i a9, a1, CHUNK
    slli a10, a10, 4
    ee.zero.q q0
.Lbit:                           /* a11: channels that are not there, a10: bytes of those that are */
    s32i a10, a1, SUM
    s32i a11, a1, LIST
    add a8, a5, a10
    loopnez a11, 1f
    ee.vst.128.ip q0, a8, 16
1:  mov a10, a5
    call8 ts_pie_turn_32
    l32i a9, a1, COUNT
    l32i a10, a1, CHUNK
    l32i a11, a2, TS_PIE_X_OUT_PIXEL_BYTES
    loop a9, 1f
    l32i a8, a5, 0
    addi a5, a5, 4
    s32i a8, a10, 0
    add a10, a10, a11
1:  l32i a8, a1, COUNT
    l32i a9, a2, TS_PIE_CHANNELS
    slli a8, a8, 2
    addi a9, a9, 31
    sub a5, a5, a8
    srli a9, a9, 5
    l32i a10, a1, CHUNK
    addmi a5, a5, 512
    addx4 a10, a9, a10           /* the next bit lies behind all words of this one */
    l32i a8, a1, BIT
    s32i a10, a1, CHUNK
    addi a8, a8, -1
    l32i a10, a1, SUM
    l32i a11, a1, LIST
    s32i a8, a1, BIT
    ee.zero.q q0
    bnez a8, .Lbit
    l32i a8, a1, PLACE
    addi a8, a8, 4
    s32i a8, a1, PLACE

.Lgroup_done:
    l32i a8, a1, CHANNEL
    l32i a9, a2, TS_PIE_CHANNELS
    bgeu a8, a9, 1f
    j .Lgroup
1:  l32i a8, a1, COUNT           /* the next tile */
    l32i a9, a2, TS_PIE_X_OUT_PIXEL_BYTES
    l32i a10, a1, OUTPUT
    mull a9, a9, a8
    l32i a11, a1, PIXEL
    add a10, a10, a9
    add a11, a11, a8
    s32i a10, a1, OUTPUT
    s32i a11, a1, PIXEL
    l32i a12, a1, COLUMN
    l32i a13, a1, ROW
    l32i a14, a2, TS_PIE_X_OUT_WIDTH
    add a12, a12, a8
2:  bltu a12, a14, 1f
    sub a12, a12, a14
    addi a13, a13, 1
    j 2b
1:  s32i a12, a1, COLUMN
    s32i a13, a1, ROW
    l32i a8, a2, TS_PIE_X_PIXELS
    bgeu a11, a8, 1f
    j .Ltile
1:  retw
    .size ts_pie_xnor_conv, .-ts_pie_xnor_conv
