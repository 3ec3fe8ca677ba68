/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from one place to another: rows of maps that are computed a few rows at a time.
 *
 * Aliasing `to` may start before `from`, however near; or they lie apart.
 */
#ifndef TS_TFL_MOVE_H
#define TS_TFL_MOVE_H

#include <stddef.h>

void ts_tfl_move(void *to, const void *from, size_t bytes);

#endif
