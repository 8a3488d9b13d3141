/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * judge.h - from what the walks found to a decision; shared by hooks, test program and native C.
 */
#ifndef WD_JUDGE_H
#define WD_JUDGE_H

#include "subject.h"
#include "walk.h"

/* Removing a directory loses the identity that names below it are bound to, as moving it does. */
static __always_inline __u32 wd_moves_dir(__u32 op, __u32 is_dir)
{
	return (op == WD_OP_RENAME || op == WD_OP_DELETE) && is_dir;
}

static __always_inline int wd_ret_of(__u32 action)
{
	return action == WD_ACTION_DENY ? -WD_EACCES : 0;
}

static __noinline __u32 wd_conclude(struct wd_judge *judge)
{
	const struct wd_generation *generation = judge->generation;
	struct wd_findings *findings = judge->findings;

	if (!findings->incomplete) {
		if (!findings->clean) /* no record at all */
			return WD_ACTION_ALLOW;
		if (!wd_relevant(generation, &findings->covers, &findings->terms))
			return WD_ACTION_ALLOW;
	}
	wd_exempt(judge);
	if (findings->incomplete)
		return wd_decide_incomplete(generation, &findings->covers, &findings->terms,
					    &findings->decision);
	return wd_decide(generation, &findings->covers, &findings->terms, &findings->decision);
}

#endif
