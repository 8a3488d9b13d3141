/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_cursor.h - the chain of names of a vector: an array, object first, filesystem root last.
 */
#ifndef WD_TEST_CURSOR_H
#define WD_TEST_CURSOR_H

#include "abi.h"

struct wd_test_scratch;

struct wd_cursor {
	struct wd_test_scratch *slot;
};

struct wd_place {
	__u32 step;
};

#endif
