/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * climb.h - walks from a dentry to the filesystem root, as one consistent moment or not at all.
 *
 * Every rename moves rename_lock's sequence. A walk during which it did not move saw one state of
 * the tree; otherwise it is repeated, and after WD_WALK_TRIES the decision is incomplete. The walk
 * does not cross mounts: what is mounted elsewhere is the same tree with the same root.
 */
#ifndef WD_CLIMB_H
#define WD_CLIMB_H

#include "counters.h"
#include "live.h"

extern const void rename_lock __ksym;

struct wd_climb {
	struct wd_judge *judge;
	struct dentry *dentry;
	struct inode *inode;
};

static __always_inline __u32 wd_rename_sequence(void)
{
	__u32 sequence = 1; /* odd: unknown counts as a rename in progress */

	bpf_probe_read_kernel(&sequence, sizeof(sequence), &rename_lock);
	return sequence;
}

static __noinline long wd_try(__u32 index, struct wd_climb *climb)
{
	struct wd_judge *judge = climb->judge;
	struct wd_findings *findings = judge->findings;
	__u32 sequence = wd_rename_sequence();

	if (!(sequence & 1)) {
		judge->at.here = climb->dentry;
		judge->at.below = climb->dentry; /* not NULL: see wd_repeat() */
		judge->at.inode = climb->inode;
		findings->incomplete = 0;
		findings->finished = 0;
		if (index)
			wd_clear_side(&findings->covers.side[findings->side & 1],
				      wd_words(judge->generation));
		wd_repeat(WD_DEPTH_MAX, wd_step, judge);
		if (sequence == wd_rename_sequence()) {
			findings->settled = 1;
			return 1;
		}
	}
	wd_count_retry();
	return 0;
}

static __noinline int wd_climb(struct wd_judge *judge, struct dentry *dentry, struct inode *inode)
{
	struct wd_findings *findings = judge->findings;
	struct wd_climb climb = { .judge = judge, .dentry = dentry, .inode = inode };

	findings->settled = 0;
	wd_repeat(WD_WALK_TRIES, wd_try, &climb);
	if (!findings->settled || !findings->finished)
		findings->incomplete = 1;
	return 0;
}

#endif
