/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_judge.h - judges one wd_test_request; shared by the test program and the native runner.
 *
 * The including file defines wd_find_*() and wd_loop() first.
 */
#ifndef WD_TEST_JUDGE_H
#define WD_TEST_JUDGE_H

#include "test_cursor.h"
#include "judge.h"

struct wd_test_scratch {
	struct wd_findings findings;
	struct wd_test_request request;
};

static __always_inline struct wd_test_step *wd_test_step(struct wd_judge *judge, __u32 step)
{
	struct wd_test_request *request = &judge->at.slot->request;

	step &= WD_TEST_STEPS - 1;
	return judge->side == WD_SIDE_TO ? &request->to[step] : &request->from[step];
}

static __always_inline __u32 wd_test_steps(struct wd_judge *judge)
{
	struct wd_test_request *request = &judge->at.slot->request;

	return judge->side == WD_SIDE_TO ? request->to_steps : request->from_steps;
}

static __always_inline struct wd_findings *wd_borrow(struct wd_judge *judge)
{
	judge->findings = &judge->at.slot->findings;
	return judge->findings;
}

static __always_inline int wd_cursor_read(struct wd_judge *judge, __u32 index)
{
	struct wd_test_step *here = wd_test_step(judge, judge->at.step);

	judge->node = here->identity;
	return here->identity.ino || here->identity.dev || here->identity.gen;
}

static __always_inline void wd_test_name(char *name, const char *from)
{
	__builtin_memset(name, 0, WD_NAME_MAX);
	for (__u32 i = 0; i < 63 && from[i]; i++)
		name[i] = from[i];
}

static __always_inline void wd_cursor_name(struct wd_judge *judge, char *name)
{
	wd_test_name(name, wd_test_step(judge, judge->at.step - 1)->name);
}

static __always_inline int wd_cursor_up(struct wd_judge *judge)
{
	judge->at.step++;
	return judge->at.step < wd_test_steps(judge);
}

static __always_inline void wd_subject_read(struct wd_judge *judge, struct wd_subject *subject)
{
	struct wd_test_request *request = &judge->at.slot->request;

	subject->exe = request->exe;
	subject->parent = request->exe_parent;
	subject->uid = request->uid;
	subject->known = request->exe.ino != 0;
}

static __always_inline void wd_subject_name(struct wd_judge *judge, char *name)
{
	wd_test_name(name, judge->at.slot->request.exe_name);
}

static __always_inline void wd_test_walk(struct wd_judge *judge)
{
	judge->at.step = 0;
	judge->finished = 0;
	wd_loop(judge);
	if (!judge->finished)
		judge->incomplete = 1;
}

/* Writes the verdict into the request of `slot`. No generation: nothing is enforced. */
static __noinline int wd_test_judge(struct wd_test_scratch *slot,
				    const struct wd_generation *generation)
{
	struct wd_test_request *request = &slot->request;
	struct wd_judge judge = { .generation = generation, .at = { .slot = slot } };
	struct wd_decision decision = { .action = WD_ACTION_ALLOW };
	struct wd_terms terms;

	request->generation = 0;
	if (generation) {
		request->generation = generation->generation;
		wd_terms_of(&terms, request->op, WD_OP_UNSET, request->replaces);
		if (wd_listed(generation, &terms)) {
			wd_borrow(&judge);
			wd_clear_side(&judge, WD_SIDE_FROM);
			wd_clear_side(&judge, WD_SIDE_TO);
			wd_clear(&judge.findings->covers.exempt, wd_words(generation));
			judge.ancestor = wd_moves_dir(request->op, request->is_dir);
			wd_test_walk(&judge);
			if (request->to_steps) {
				judge.side = WD_SIDE_TO;
				judge.ancestor = request->is_dir;
				wd_test_walk(&judge);
			}
			wd_conclude(&judge, &terms, &decision);
		}
	}
	request->verdict.action = decision.action;
	request->verdict.rule = decision.rule;
	request->verdict.reason = decision.reason;
	request->verdict.ret = wd_ret_of(&decision);
	return 0;
}

#endif
