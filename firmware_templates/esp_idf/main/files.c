/* SPDX-License-Identifier: Apache-2.0 */
/* File-fed sensors of the linux target. Files are mapped: a task may be suspended inside malloc or stdio by the
 * simulated tick, and another one would then wait for their locks forever. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "candidate.h"
#include "input.h"

static int ends_in(const char *path, const char *suffix)
{
    const size_t length = strlen(path), tail = strlen(suffix);
    return length >= tail && strcmp(path + length - tail, suffix) == 0;
}

/* Inputs as they are, back to back; a stream takes one a window. */
static const char *plain(const capture_target *target, const uint8_t *bytes, size_t size)
{
    const size_t length = target->model->input_bytes, window = target->window > 0 ? (size_t)target->window : 0;
    if (size % length != 0) {
        return "this file does not hold whole inputs";
    }
    if (window >= size / length) {
        return capture_end;
    }
    for (size_t i = 0; i < length; i++) {
        target->input[i] = (int8_t)((int)bytes[window * length + i] - 128);
    }
    return NULL;
}

static const char *convert(const capture_target *target, const char *path, const uint8_t *bytes, size_t size)
{
    const int raw = ends_in(path, ".raw") || ends_in(path, ".pcm");
    if (ends_in(path, ".inputs") || (raw && size == target->model->input_bytes)) {
        return plain(target, bytes, size);
    }
    return candidate_kinds[target->branch]->file(target, bytes, size, raw);
}

const char *files_capture(const capture_target *target, const char *path)
{
    const char *problem = "this file cannot be read";
    struct stat about;
    const int file = open(path, O_RDONLY);
    if (file >= 0 && fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
        const size_t size = (size_t)about.st_size;
        void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (bytes != MAP_FAILED) {
            problem = convert(target, path, bytes, size);
            munmap(bytes, size);
        }
    }
    if (file >= 0) {
        close(file);
    }
    return problem;
}
