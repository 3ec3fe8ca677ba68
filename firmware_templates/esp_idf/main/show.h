/* SPDX-License-Identifier: Apache-2.0 */
/* What the sensors deliver, told over the console: so that a person sees whether camera and microphone are right. */
#ifndef SHOW_H
#define SHOW_H

/* Captures with every sensor and prints how bright and how loud it was. NULL, or what failed last. */
const char *show_signals(void);

/* Capture from a sensor, or from a file where path is not NULL, and print all of it: a picture as the text of a PPM or PGM
 * file (P3, P2) at the size that the network sees, a recording as hexadecimal 16-bit values, lowest byte first. NULL, or
 * why not. */
const char *show_picture(const char *path);
const char *show_recording(const char *path);

#endif
