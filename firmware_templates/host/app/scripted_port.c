/* SPDX-License-Identifier: Apache-2.0 */
/* port.h for checks of the lock: a line "ahead S" of the input moves the clock by S seconds instead of being a command. */
#define port_us real_us
#define port_getline real_getline
#include "port_host.c"
#undef port_us
#undef port_getline

static int64_t ahead_us;

int64_t port_us(void)
{
    return real_us() + ahead_us;
}

int port_getline(char *line, size_t size)
{
    static const char word[] = "ahead ";
    for (;;) {
        const int length = real_getline(line, size);
        if (length < 0 || strncmp(line, word, sizeof word - 1) != 0) {
            return length;
        }
        ahead_us += (int64_t)atol(line + sizeof word - 1) * 1000000;
    }
}
