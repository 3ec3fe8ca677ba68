/* SPDX-License-Identifier: Apache-2.0 */
/* Start: console, store, memory, sensors, self-test; then one command a line. Nothing allocates after READY but the drivers of
 * sensors, when they are first used. */
#include <stdio.h>

#include "application.h"
#include "branches.h"
#include "candidate.h"
#include "capture.h"
#include "commands.h"
#include "port.h"
#include "sdkconfig.h"
#include "sleep.h"

void app_main(void)
{
    static char line[1200]; /* 512 bytes of an input, in hexadecimal, and room */

    port_flash_open();
    port_console_open(commands_hides);
    printf("tinysearch %s %s\n", CANDIDATE_GENERATOR, CANDIDATE_ID);
#if !CANDIDATE_TRAINED
    printf("WARN untrained weights: no decision of this device means anything\n");
#endif
    const char *problem = branches_open();
    if (problem == NULL) {
        problem = capture_prepare();
    }
    if (problem != NULL) {
        printf("ERR start: %s\n", problem);
    }
    commands_open(problem);
    application_open(problem);
#if CONFIG_TS_SENSORS_AT_START
    capture_open();
#endif
#if CONFIG_TS_SELFTEST_AT_START
    if (!sleep_woken()) {
        commands_selftest();
    }
#endif
    if (CONFIG_TS_BUTTON_GPIO >= 0 && port_button_open(CONFIG_TS_BUTTON_GPIO, commands_button) != 0) {
        printf("ERR button: GPIO %d\n", CONFIG_TS_BUTTON_GPIO);
    }
    port_figures();
    printf("READY\n");
    fflush(stdout);
    application_start();
    sleep_between_presses();

    for (int length = port_getline(line, sizeof line); length >= 0; length = port_getline(line, sizeof line)) {
        sleep_stir();
        if (length == (int)sizeof line - 1) {
            printf("ERR this line is too long\n"); /* its tail is lost */
        } else {
            commands_run(line);
        }
    }
    port_end();
}
