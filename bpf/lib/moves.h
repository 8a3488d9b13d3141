/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * moves.h - the kernel's own count of moves in the tree of names.
 *
 * Every change of a dentry's parent or name happens inside a write section of rename_lock: renames,
 * exchanges, and what d_splice_alias() moves for network filesystems and file handles. Its sequence
 * is odd during such a section. No hook of ours has to see the move, so none can miss it.
 */
#ifndef WD_MOVES_H
#define WD_MOVES_H

#include "kernel.h"

extern const void rename_lock __ksym;

/*
 * Keeps loads before it before loads after it, and stores before stores. x86 does so by itself;
 * elsewhere an atomic operation with a result is a full barrier.
 */
#ifdef __TARGET_ARCH_x86
#define wd_barrier() barrier()
#else
#define wd_barrier()                                                                               \
	do {                                                                                       \
		__u64 wd_fence = 0;                                                                \
		if (__sync_fetch_and_add(&wd_fence, 1))                                            \
			barrier();                                                                 \
	} while (0)
#endif

static __always_inline __u32 wd_rename_sequence(void)
{
	__u32 sequence = 1; /* odd: unknown counts as a rename in progress */

	wd_barrier();
	bpf_probe_read_kernel(&sequence, sizeof(sequence), &rename_lock);
	wd_barrier();
	return sequence;
}

#endif
