/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * judge.h - from what the walks found to a decision; shared by hooks, test program and native C.
 */
#ifndef WD_JUDGE_H
#define WD_JUDGE_H

#include "subject.h"
#include "walk.h"

/* Removing or hiding a directory loses the identity that names below it are bound to, as moving it
 * does. */
static __always_inline __u32 wd_moves_dir(__u32 op, __u32 is_dir)
{
	return (op == WD_OP_RENAME || op == WD_OP_DELETE || op == WD_OP_MOUNT) && is_dir;
}

static __always_inline int wd_ret_of(__u32 action)
{
	return action == WD_ACTION_DENY ? -WD_EACCES : 0;
}

/* Whether a walk is worth its time. */
static __noinline int wd_concerned(struct wd_judge *judge)
{
	struct wd_findings *findings = judge->findings;
	struct wd_pass pass = {
		.generation = judge->generation,
		.covers = &findings->covers,
		.terms = &findings->terms,
		.out = &findings->decision,
		.moves = judge->moves,
	};

	return wd_listed(&pass);
}

/* Decides over what the walks found. The result is in findings->decision. */
static __noinline int wd_conclude(struct wd_judge *judge)
{
	struct wd_findings *findings = judge->findings;
	struct wd_pass pass = {
		.generation = judge->generation,
		.covers = &findings->covers,
		.terms = &findings->terms,
		.out = &findings->decision,
		.moves = judge->moves,
	};

	findings->decision.action = WD_ACTION_ALLOW;
	if (!findings->incomplete) {
		/* Nothing was found, or nothing of it says no to anybody. */
		if (!findings->clean || !wd_relevant(&pass))
			return 0;
	}
	wd_exempt(judge);
	if (findings->incomplete)
		wd_decide_incomplete(&pass);
	else
		wd_decide(&pass);
	return 0;
}

#endif
