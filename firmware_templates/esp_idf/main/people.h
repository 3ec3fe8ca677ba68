/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolled people: up to PEOPLE_CAPTURES captures each, in NVS, never printed. */
#ifndef PEOPLE_H
#define PEOPLE_H

#include <stdint.h>

#include "candidate.h"

enum {
    PEOPLE = CANDIDATE_PEOPLE, /* what the NVS partition was sized for */
    PEOPLE_CAPTURES = CANDIDATE_CAPTURES,
    PEOPLE_NAME = 16, /* with its end */
};

/* 0, or -1 where NVS failed. Records of another network count as absent. */
int people_open(void);

/* Whether a name has 1 to 15 letters, digits, - or _. */
int people_name_ok(const char *name);

/* Name in a slot 0 .. PEOPLE - 1, or NULL; valid until the next call. */
const char *people_name(unsigned slot);

/* Slots whose record cannot be read or is damaged: wrong length, version or CRC, or a template that no network gives.
 * They match nobody. */
unsigned people_damaged(void);

/* Whether there is no record of anybody, not even a damaged one. */
int people_none(void);

/* Adds one capture of a person; the oldest of PEOPLE_CAPTURES goes. NULL, or why not. */
const char *people_add(const char *name, const uint8_t *record);

const char *people_delete(const char *name);

typedef struct {
    char name[PEOPLE_NAME]; /* who came closest; empty if nobody is enrolled under that name */
    int32_t score;
} people_match;

/* Whether somebody is enrolled, or this person where `only` is not NULL. */
int people_has(const char *only);

/* The best score of a capture against everybody, or against one person where `only` is not NULL. */
people_match people_closest(const uint8_t *record, const char *only);

#ifdef CANDIDATE_FIRST
/* Whether the first branch of a capture leaves open who that is: it is not sure to be somebody's, and not of everybody sure to
 * be another's. */
int people_unsure(const uint8_t *record, const char *only);
#endif

#endif
