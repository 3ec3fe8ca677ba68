/* SPDX-License-Identifier: Apache-2.0 */
/* The front-ends of the runtime, on the memory that a branch's arena has to spare before its network runs. */
#include <stddef.h>

#include "candidate.h"
#include "capture.h"
#include "capture_signal.h"
#include "port.h"
#if CANDIDATE_FACE
#include "ts_image.h"
#endif
#if CANDIDATE_VOICE
#include "ts_log_mel.h"
#endif

/* For a front-end that finds no room in its arena; NULL for those that do. */
#if CANDIDATE_FACE
static void *spare_image;
#endif
#if CANDIDATE_VOICE
static void *spare_sound;
#endif

static uint32_t aligned(uint32_t offset)
{
    return (offset + TS_MODEL_ALIGNMENT - 1) / TS_MODEL_ALIGNMENT * TS_MODEL_ALIGNMENT;
}

/* Offset of free bytes beside the input of an arena, or -1. */
static int64_t room(const ts_model *model, size_t bytes)
{
    const uint32_t after = aligned(model->input_offset + model->input_bytes);
    if (model->input_offset >= bytes) {
        return 0;
    }
    return after + bytes <= model->arena_bytes ? (int64_t)after : -1;
}

static void *workspace(const capture_target *target, size_t bytes, void *spare)
{
    const int64_t offset = room(target->model, bytes);
    return offset >= 0 ? target->arena + offset : spare;
}

/* Memory for a front-end that has no room; 0, or -1 where there is none. */
static int reserve(const ts_model *model, size_t bytes, void **spare)
{
    if (room(model, bytes) >= 0) {
        return 0;
    }
    *spare = port_memory(bytes, 0);
    return *spare != NULL ? 0 : -1;
}

#if CANDIDATE_FACE
static ts_image_layer image_layer(const ts_model *model, uint32_t width, uint32_t height, int format)
{
    const ts_image_layer layer = {
        .width = (uint16_t)width,
        .height = (uint16_t)height,
        .format = (ts_pixel_format)format,
        .size = (uint16_t)model->height,
        .channels = (uint8_t)model->channels,
    };
    return layer;
}

const char *frontend_image(const capture_target *target, const uint8_t *pixels, uint32_t width, uint32_t height,
                           int format)
{
    const ts_image_layer layer = image_layer(target->model, width, height, format);
    if (width > UINT16_MAX || height > UINT16_MAX || !ts_image_valid(&layer)) {
        return "a picture of this size cannot be used";
    }
    ts_image(&layer, pixels, target->input, workspace(target, ts_image_scratch_bytes(&layer), spare_image));
    return NULL;
}
#endif

#if CANDIDATE_VOICE
static int16_t *clip;

int16_t *frontend_clip(void)
{
    return clip;
}

uint32_t frontend_clip_samples(void)
{
    return candidate_log_mel.clip_samples;
}

const char *frontend_sound(const capture_target *target)
{
    void *scratch = workspace(target, ts_log_mel_scratch_bytes(&candidate_log_mel), spare_sound);
    const char *problem = capture_signal_problem(capture_judge_clip(clip, candidate_log_mel.clip_samples));
    if (problem == NULL) {
        ts_log_mel(&candidate_log_mel, clip, target->input, scratch);
    }
    return problem;
}
#endif

const char *frontend_open(void)
{
#if CANDIDATE_FACE
    const ts_model *face = branches[CANDIDATE_FACE_BRANCH];
    const ts_image_layer layer = image_layer(face, 1, 1, TS_PIXEL_RGB888);
    if (reserve(face, ts_image_scratch_bytes(&layer), &spare_image) != 0) {
        return "no memory for the image front-end";
    }
#endif
#if CANDIDATE_VOICE
    const ts_model *voice = branches[CANDIDATE_VOICE_BRANCH];
    clip = port_memory(candidate_log_mel.clip_samples * sizeof clip[0], CANDIDATE_CLIP_IN_PSRAM);
    if (clip == NULL || reserve(voice, ts_log_mel_scratch_bytes(&candidate_log_mel), &spare_sound) != 0) {
        return "no memory for a recording";
    }
#endif
    return NULL;
}
