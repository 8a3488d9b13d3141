/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canary.h - the system calls that a canary can try.
 */
#ifndef WD_CANARY_H
#define WD_CANARY_H

#include <fcntl.h>

#include "loader.h"

struct wd_canary {
	const char *name;
	bool needs_path2;
	int (*attempt)(const struct wd_try *request); /* 0, or -1 with errno; async-signal-safe */
};

extern const struct wd_canary wd_canaries[]; /* ended by a NULL name */

#endif
