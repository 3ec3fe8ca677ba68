/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMANDS_H
#define COMMANDS_H

/* Runs one line of the console; every command ends with a line that starts with OK or ERR. Modifies the line. */
void commands_run(char *line);

/* Golden patterns of every branch, and one line with the outcome. */
void commands_selftest(void);

/* Whether what follows these first characters of a line is a PIN. */
int commands_hides(const char *typed);

/* What the button does: verify against everybody. */
void commands_button(void);

/* Reads the count of failed attempts. Where `problem` is not NULL the networks cannot run, and every command that needs
 * them answers with it. */
void commands_open(const char *problem);

#endif
