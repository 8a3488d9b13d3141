/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * loaded.h - each program as the verifier saw it when the loader loaded it, by enum wd_hook.
 *
 * For the loader alone: a later process that adopts the programs compares them with what was loaded,
 * without a second pass through the verifier. It is a map because maps are closed to every other
 * process (self.h), and because it ends with the boot, as the programs do. All zero: not known.
 */
#ifndef WD_LOADED_H
#define WD_LOADED_H

#include "abi.h"
#include "kernel.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WD_HOOKS);
	__type(key, __u32);
	__type(value, struct wd_loaded);
} loaded SEC(".maps");

#endif
