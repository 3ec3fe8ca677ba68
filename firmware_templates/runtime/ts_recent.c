/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_recent.h"

#include <stddef.h>

void ts_recent_reset(ts_recent *recent)
{
    recent->count = 0;
    recent->next = 0;
    recent->quiet = 0;
}

void ts_recent_add(ts_recent *recent, const int64_t *values, uint32_t columns, uint32_t smooth)
{
    int64_t *row = recent->values + (size_t)recent->next * columns;
    for (uint32_t column = 0; column < columns; ++column) {
        row[column] = values[column];
    }
    recent->next = (uint16_t)((recent->next + 1U) % smooth);
    if (recent->count < smooth) {
        ++recent->count;
    }
}

/* Every row in use counts the same, so that their order does not matter. */
int64_t ts_recent_sum(const ts_recent *recent, uint32_t column, uint32_t columns)
{
    int64_t sum = 0;
    for (uint32_t row = 0; row < recent->count; ++row) {
        sum += recent->values[(size_t)row * columns + column];
    }
    return sum;
}

int64_t ts_recent_mean(const ts_recent *recent, int64_t sum)
{
    return sum / recent->count - (sum % recent->count < 0);
}

int ts_recent_event(ts_recent *recent, int tells, uint32_t hold_off)
{
    if (recent->quiet > 0) {
        --recent->quiet;
        return 0;
    }
    if (tells) {
        recent->quiet = hold_off;
    }
    return tells;
}
