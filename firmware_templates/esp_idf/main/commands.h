/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "candidate.h"

/* Runs one line of the console; every command ends with a line that starts with OK or ERR. Modifies the line. */
void commands_run(char *line);

/* The last line of an answer: OK what, or ERR what: problem. */
void commands_answer(const char *what, const char *problem);

/* The files that words name, one a branch; NULL, the sensor, for "-" and what is left out. */
void commands_sources(char *const *words, const char *sources[CANDIDATE_BRANCHES]);

/* Captures and computes all branches from such files. window: as in capture.h. NULL, or why not. */
const char *commands_sense(char *const *words, long window);

/* Golden patterns of every branch, and one line with the outcome. */
void commands_selftest(void);

/* Whether what follows these first characters of a line is a PIN. */
int commands_hides(const char *typed);

/* What the button does. */
void commands_button(void);

/* Where `problem` is not NULL the networks cannot run, and every command that needs them answers with it. */
void commands_open(const char *problem);

#endif
