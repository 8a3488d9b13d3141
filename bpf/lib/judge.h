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

static __always_inline int wd_ret_of(const struct wd_decision *decision)
{
	return decision->action == WD_ACTION_DENY ? -WD_EACCES : 0;
}

static __noinline int wd_conclude(struct wd_judge *judge, const struct wd_terms *terms,
				  struct wd_decision *decision)
{
	const struct wd_generation *generation = judge->generation;
	struct wd_findings *findings = judge->findings;

	decision->action = WD_ACTION_ALLOW;
	if (judge->incomplete) {
		wd_borrow(judge);
		wd_exempt(judge);
		findings = judge->findings;
		return wd_decide_incomplete(generation, findings ? &findings->covers : NULL, terms,
					    decision);
	}
	if (!judge->covered || !findings)
		return 0;
	if (!wd_relevant(generation, &findings->covers, terms))
		return 0;
	wd_exempt(judge);
	if (judge->incomplete)
		return wd_decide_incomplete(generation, NULL, terms, decision);
	return wd_decide(generation, &findings->covers, terms, decision);
}

#endif
