/* SPDX-License-Identifier: Apache-2.0 */
/* What a device does with the embeddings of its branches: app_lock.c, app_classify.c or app_anomaly.c, one in a project. */
#ifndef APPLICATION_H
#define APPLICATION_H

typedef struct {
    const char *name;
    void (*run)(char *const *words); /* words[0] is the name, NULL after the last; at most COMMAND_WORDS */
    int computes;                    /* needs the networks */
    const char *usage;
} command;

enum { COMMAND_WORDS = 12 };

/* Its commands beside those of every device; the last one has no name. */
extern const command application_commands[];

/* Before the first command. Where `problem` is not NULL the networks cannot run. Prints what people must know. */
void application_open(const char *problem);

/* After READY: what runs without being asked. */
void application_start(void);

/* What the button does, as a line of the console. */
extern const char application_button[];

#endif
