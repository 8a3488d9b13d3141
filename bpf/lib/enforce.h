/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * enforce.h - what every hook calls: judges one request against the committed generation.
 *
 * Invariants: the header is read once per request; no header means nothing is enforced; everything
 * that could not be seen is denied, never allowed. A hook returns an earlier refusal unchanged
 * before it comes here.
 */
#ifndef WD_ENFORCE_H
#define WD_ENFORCE_H

#include "climb.h"
#include "event.h"
#include "judge.h"
#include "self.h"

struct wd_request {
	struct dentry *from; /* the object; a negative dentry for a name that is created */
	struct inode *inode; /* of the object; NULL for a name that is created */
	struct dentry *to;   /* destination of a rename or link, or NULL */
	__u32 hook;
	__u32 op;
	__u32 and_op; /* further operations on the object, or WD_OP_UNSET */
	__u32 exec_op;
	__u32 beneath; /* 1: walk from the inode's own dentry, `from` is that of a layer above */
	__u32 echo;    /* an earlier hook reported the would-deny of this very act: report denies */
};

static __always_inline int wd_judge_request(struct wd_judge *judge, struct wd_scratch *slot,
					    struct wd_request *request)
{
	struct wd_findings *findings = judge->findings;
	struct dentry *object = request->from;
	struct inode *inode = request->inode;
	struct inode *victim = NULL;
	__u64 alias = 0;
	__u32 action;
	int ret;

	if (request->to)
		victim = request->to->d_inode;
	wd_terms_of(&findings->terms, request->op, victim != NULL);
	findings->terms.op[1] = request->and_op;
	findings->terms.op[2] = request->exec_op;
	if (!wd_concerned(judge))
		return 0;
	findings->side = WD_SIDE_FROM;
	findings->ancestor = wd_moves_dir(request->op, wd_is_dir(inode));
	if (request->beneath)
		alias = wd_alias_of(inode);
	wd_climb(judge, request->from, inode, alias);
	if (request->to && !findings->incomplete) {
		findings->side = WD_SIDE_TO;
		findings->ancestor = wd_is_dir(victim);
		wd_climb(judge, request->to, victim, 0);
	}
	wd_conclude(judge);
	action = findings->decision.action;
	/* The enforcer's own files are closed by rules that do not mean the enforcer. */
	if (action != WD_ACTION_ALLOW && wd_is_enforcer())
		return 0;
	if (action != WD_ACTION_DENY && (action != WD_ACTION_AUDIT || request->echo))
		return 0;
	ret = wd_ret_of(action);
	if (request->to && findings->decision.side == WD_SIDE_TO) {
		object = request->to;
		inode = victim;
	}
	wd_emit(judge, slot, request->hook, object, inode);
	return ret;
}

static __noinline int wd_enforce(struct wd_request *request)
{
	struct wd_judge judge = { .generation = wd_committed() };
	struct wd_scratch *slot;
	int ret;

	if (!judge.generation)
		return 0;
	wd_count_decision();
	slot = wd_borrow();
	if (!slot)
		return wd_deny_blind();
	judge.findings = &slot->findings;
	judge.findings->clean = 0;
	judge.findings->incomplete = 0;
	ret = wd_judge_request(&judge, slot, request);
	wd_release(slot);
	return ret;
}

/* A refusal that protects decisions to come, whatever the rules say. */
static __noinline int wd_refuse_self(__u32 hook, __u32 op, struct dentry *dentry,
				     struct inode *inode)
{
	struct wd_judge judge = { .generation = wd_committed() };
	struct wd_scratch *slot;

	if (!judge.generation)
		return 0;
	wd_count_decision();
	slot = wd_borrow();
	if (!slot)
		return wd_deny_blind();
	judge.findings = &slot->findings;
	slot->findings.decision = (struct wd_decision){
		.action = WD_ACTION_DENY,
		.reason = WD_REASON_SELF,
		.op = op,
	};
	wd_emit(&judge, slot, hook, dentry, inode);
	wd_release(slot);
	return -WD_EACCES;
}

#endif
