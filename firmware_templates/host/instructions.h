/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

/* Instructions since start where the instruction set counts them, else 0. */
static unsigned long instructions(void)
{
#if defined(__riscv)
    unsigned long value;
    __asm__ volatile("csrr %0, minstret" : "=r"(value));
    return value;
#else
    return 0;
#endif
}

#endif
