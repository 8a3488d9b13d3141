/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * climb.h - walks from a dentry to the filesystem root, as one consistent moment or not at all.
 *
 * Every rename moves rename_lock's sequence. A walk during which it did not move saw one state of
 * the tree. Otherwise the walk is repeated, now with a hash over every dentry and its d_seq, and
 * walked once more: the same hash says that no link of this chain changed, however many other
 * files were renamed meanwhile, so nobody can have innocent files denied by renaming others.
 * After WD_WALK_TRIES the decision is incomplete. The walk does not cross mounts: what is mounted
 * elsewhere is the same tree with the same root.
 */
#ifndef WD_CLIMB_H
#define WD_CLIMB_H

#include "counters.h"
#include "live.h"
#include "moves.h"

struct wd_retrace {
	struct wd_place *place;
	struct dentry *here;
};

static __noinline long wd_retrace_step(__u32 index, struct wd_retrace *retrace)
{
	struct dentry *here = retrace->here;
	struct dentry *parent = here->d_parent;

	wd_trace(retrace->place, here);
	if (!parent || parent == here)
		return 1;
	retrace->here = parent;
	return 0;
}

/* Whether the chain is still the one that was walked, and was at rest. */
static __noinline int wd_unmoved(struct wd_judge *judge)
{
	struct wd_place *place = &judge->findings->place;
	struct wd_retrace retrace = { .place = place, .here = judge->at.first };
	__u64 walked = place->trace;

	if (!place->tracing || place->start)
		return 0;
	place->trace = 0;
	wd_repeat(WD_DEPTH_MAX, wd_retrace_step, &retrace);
	return place->trace == walked && !place->moving;
}

static __noinline long wd_try(__u32 index, struct wd_judge *judge)
{
	struct wd_findings *findings = judge->findings;
	__u32 sequence = wd_rename_sequence();

	judge->at.here = judge->at.first;
	judge->at.below = judge->at.first; /* not NULL: see wd_repeat() */
	judge->at.inode = judge->at.first_inode;
	findings->place.alias = findings->place.start;
	findings->place.tracing = index != 0;
	findings->place.trace = 0;
	findings->place.moving = 0;
	findings->incomplete = 0;
	findings->finished = 0;
	if (index)
		wd_zero(&findings->covers.side[findings->side & 1], sizeof(struct wd_cover));
	wd_repeat(WD_DEPTH_MAX, wd_step, judge);
	if ((!(sequence & 1) && sequence == wd_rename_sequence()) || wd_unmoved(judge)) {
		findings->settled = 1;
		return 1;
	}
	wd_count_retry();
	return 0;
}

/* From at.first; at.first_inode is its own, or that of a layer beneath it, or NULL. */
static __always_inline int wd_climb(struct wd_judge *judge)
{
	struct wd_findings *findings = judge->findings;

	findings->settled = 0;
	findings->place.directory = wd_is_dir(judge->at.first_inode);
	wd_repeat(WD_WALK_TRIES, wd_try, judge);
	if (!findings->settled || !findings->finished)
		findings->incomplete = 1;
	return 0;
}

#endif
