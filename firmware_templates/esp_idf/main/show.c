/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "branches.h"
#include "candidate.h"
#include "capture.h"

#if CANDIDATE_FACE
static const char *signal_of_picture(void)
{
    const char *problem = branches_capture(CANDIDATE_FACE_BRANCH, NULL);
    const int8_t *input = branches_input(CANDIDATE_FACE_BRANCH);
    const uint32_t bytes = branches[CANDIDATE_FACE_BRANCH]->input_bytes;
    int64_t sum = 0;
    int least = INT8_MAX, most = INT8_MIN;
    for (uint32_t i = 0; i < bytes; i++) {
        sum += input[i];
        least = input[i] < least ? input[i] : least;
        most = input[i] > most ? input[i] : most;
    }
    if (problem == NULL) {
        printf("signal picture level %d contrast %d of 255\n", (int)(sum / (int64_t)bytes) + 128, most - least);
    }
    return problem;
}

const char *show_picture(const char *path)
{
    const ts_model *model = branches[CANDIDATE_FACE_BRANCH];
    const char *problem = branches_capture(CANDIDATE_FACE_BRANCH, path);
    const int8_t *input = branches_input(CANDIDATE_FACE_BRANCH);
    if (problem != NULL) {
        return problem;
    }
    printf("%s\n%u %u\n255\n", model->channels == 3 ? "P3" : "P2", (unsigned)model->width, (unsigned)model->height);
    for (uint32_t i = 0, row = model->width * model->channels; i < model->input_bytes; i++) {
        printf("%d%c", input[i] + 128, (i + 1) % row == 0 ? '\n' : ' ');
    }
    return NULL;
}
#else
const char *show_picture(const char *path)
{
    (void)path;
    return "this device has no camera";
}
#endif

#if CANDIDATE_VOICE
static const char *signal_of_recording(void)
{
    const char *problem = branches_capture(CANDIDATE_VOICE_BRANCH, NULL);
    const int16_t *clip = frontend_clip();
    const uint32_t samples = frontend_clip_samples();
    int64_t sum = 0;
    int peak = 0;
    for (uint32_t i = 0; i < samples; i++) {
        sum += abs(clip[i]);
        peak = abs(clip[i]) > peak ? abs(clip[i]) : peak;
    }
    if (problem == NULL) {
        printf("signal recording level %d peak %d of 32767\n", (int)(sum / (int64_t)samples), peak);
    }
    return problem;
}

const char *show_recording(const char *path)
{
    enum { A_LINE = 32 };
    const char *problem = branches_capture(CANDIDATE_VOICE_BRANCH, path);
    const int16_t *clip = frontend_clip();
    const uint32_t samples = frontend_clip_samples();
    if (problem != NULL) {
        return problem;
    }
    printf("recording 16000 Hz, %" PRIu32 " samples\n", samples);
    for (uint32_t i = 0; i < samples; i++) {
        const unsigned value = (uint16_t)clip[i];
        printf("%02x%02x%s", value & 255u, value >> 8, (i + 1) % A_LINE == 0 || i + 1 == samples ? "\n" : "");
    }
    return NULL;
}
#else
const char *show_recording(const char *path)
{
    (void)path;
    return "this device has no microphone";
}
#endif

const char *show_signals(void)
{
    const char *problem = NULL;
#if CANDIDATE_FACE
    problem = signal_of_picture();
#endif
#if CANDIDATE_VOICE
    const char *silence = signal_of_recording();
    problem = silence != NULL ? silence : problem;
#endif
    return problem;
}
