/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op.h - one attempt on a file, by exactly one way, for the case suite in a guest.
 *
 * Every attempt answers 0 or a positive errno, so that a case can assert the exact one. Nothing here
 * knows of policies.
 */
#ifndef OP_H
#define OP_H

#include <linux/io_uring.h>
#include <sys/types.h>

/* An io_uring of one entry. */
struct ring {
	int fd;
	struct io_uring_params params;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
};

struct attempt {
	const char *name;
	int args; /* how many arguments it takes */
	int (*run)(char **arg);
};

extern const struct attempt opening_attempts[];
extern const struct attempt changing_attempts[];
extern const struct attempt executing_attempts[];
extern const struct attempt held_attempts[];
extern const struct attempt holding_attempts[];
extern const struct attempt place_attempts[];
extern const struct attempt racing_attempts[];
extern const struct attempt attacking_attempts[];
extern const struct attempt placing_attempts[];
extern const struct attempt sealing_attempts[];

/* 0 when `result` is not negative, else errno. */
int outcome(long result);
/* The outcome of opening with these flags; the descriptor is closed. */
int open_outcome(const char *path, int flags);

/* Prints the process id and the outcome, as the tool does at its end. */
void report(int error);
/* Makes a ring. */
int ring_make(struct ring *ring);
/* Submits its only entry, once, and waits for what comes of it. */
int ring_run(struct ring *ring, const struct io_uring_sqe *entry);
/* Submits one entry to a ring of its own, with the caller's credentials or another user's. */
int ring_submit_as(struct io_uring_sqe *entry, uid_t uid);
/* A descriptor of the disk under a path, or a negative errno. */
int device_of(const char *path, dev_t *ret_dev);

#endif
