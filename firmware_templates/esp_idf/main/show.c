/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include <stddef.h>
#include <string.h>

#include "branches.h"
#include "candidate.h"
#include "capture.h"

static const char *show(unsigned branch, const char *path, int all)
{
    const char *problem = branches_capture(branch, path);
    if (problem == NULL && candidate_kinds[branch]->show != NULL) {
        candidate_kinds[branch]->show(branch, all);
    }
    return problem;
}

const char *show_signals(void)
{
    const char *problem = NULL;
    capture_open();
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        if (candidate_kinds[b]->take != NULL) {
            const char *found = show(b, NULL, 0);
            problem = found != NULL ? found : problem;
        }
    }
    return problem;
}

const char *show_all(const char *kind, const char *path)
{
    if (path == NULL) {
        capture_open();
    }
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        if (strcmp(candidate_kinds[b]->name, kind) == 0) {
            return show(b, path, 1);
        }
    }
    return "no network of this device has such a sensor";
}
