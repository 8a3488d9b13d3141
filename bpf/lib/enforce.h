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
#include "glass.h"
#include "judge.h"
#include "quiet.h"
#include "resolve.h"
#include "self.h"

struct wd_request {
	struct dentry *from; /* the object; a negative dentry for a name that is created */
	struct inode *inode; /* of the object; NULL for a name that is created */
	struct dentry *to;   /* destination of a rename or link, or NULL */
	__u32 hook;
	__u32 op;
	__u32 and_op; /* further operations on the object, or WD_OP_UNSET */
	__u32 exec_op;
	__u64 victim;  /* address of the inode that a rename replaces, or 0 */
	__u64 start;   /* address of a dentry to walk from instead of `from`, or 0 */
	__u64 loose;   /* wd_path_is_loose(), for the dentry of a file */
	__u32 scan;    /* 1: a directory that is opened for reading only */
	__u32 borrows; /* 1: the credentials in force are those that count, io_uring's included */
	__u32 echo;    /* an earlier hook reported the would-deny of this very act: report denies */
};

/*
 * Whether a rename replaces something is asked of memory: verifiers of 6.4 to 6.15 hold that every
 * dentry they trust has an inode, and drop a test of that where nothing else leads to what follows.
 */
static __always_inline void wd_note_victim(struct wd_request *request)
{
	bpf_probe_read_kernel(&request->victim, sizeof(request->victim), &request->to->d_inode);
}

/* Walks one side, from judge->at.first. */
static __noinline long wd_walk_side(__u32 side, struct wd_judge *judge)
{
	judge->findings->side = side;
	wd_climb(judge);
	return judge->findings->incomplete != 0;
}

/*
 * Walks both sides and decides; the result is in judge->findings->decision. What is walked gets
 * nothing of the request but its dentries: where a pointer to the stack lies on it, newer verifiers
 * take all of it for used, and follow the walk anew for whatever differs there.
 */
static __always_inline int wd_decide_request(struct wd_judge *judge,
					     const struct wd_request *request)
{
	struct wd_findings *findings = judge->findings;

	findings->clean = 0;
	findings->incomplete = 0;
	findings->own_creds = !request->borrows;
	findings->decision.action = WD_ACTION_ALLOW;
	if (request->to)
		judge->moves = 1;
	wd_terms_of(&findings->terms, request->op, request->victim != 0);
	findings->terms.op[1] = request->and_op;
	findings->terms.op[2] = request->exec_op;
	if (!wd_concerned(judge))
		return 0;
	judge->at.first = request->from;
	judge->at.first_inode = request->inode;
	findings->ancestor = wd_moves_dir(request->op, wd_is_dir(request->inode));
	findings->place.start = request->start;
	/* Not in a loop: newer verifiers follow loops until nothing changes any more. */
	wd_walk_side(WD_SIDE_FROM, judge);
	if (request->to && !findings->incomplete) {
		judge->at.first = request->to;
		judge->at.first_inode = request->to->d_inode;
		findings->ancestor = wd_is_dir(judge->at.first_inode);
		findings->place.start = 0;
		wd_walk_side(WD_SIDE_TO, judge);
	}
	wd_conclude(judge);
	return 0;
}

static __always_inline int wd_answer(struct wd_judge *judge, struct wd_scratch *slot,
				     struct wd_request *request)
{
	struct wd_decision *decision = &judge->findings->decision;
	struct dentry *object = request->from;
	struct inode *inode = request->inode;
	__u32 action = decision->action;
	int ret;

	/* The enforcer's own files are closed by rules that do not mean the enforcer. */
	if (action != WD_ACTION_ALLOW && wd_is_enforcer())
		return 0;
	if (action == WD_ACTION_ALLOW || (action != WD_ACTION_DENY && request->echo))
		return 0;
	ret = wd_ret_of(action);
	if (request->to && decision->side == WD_SIDE_TO) {
		object = request->to;
		inode = object->d_inode;
	}
	wd_emit(judge, slot, request->hook, object, inode);
	request->echo = wd_nil(judge->generation) + 1;
	return ret;
}

static __noinline int wd_walk_and_judge(const struct wd_generation *generation,
					struct wd_request *request)
{
	struct wd_judge judge = { .generation = generation };
	struct wd_scratch *slot;
	int ret;

	/* Before the decision, which would report what the scan does as a denial. */
	if (request->scan && wd_is_scan(request->inode))
		return 0;
	wd_count_decision();
	slot = wd_borrow(wd_nil(generation));
	if (!slot)
		return wd_deny_blind();
	judge.findings = &slot->findings;
	wd_decide_request(&judge, request);
	if (wd_is_glass_asked(&judge))
		wd_break_glass(&judge, slot);
	ret = wd_answer(&judge, slot, request);
	wd_release(slot);
	return ret;
}

struct wd_layers {
	const struct wd_generation *generation;
	struct wd_request *request;
	__u64 ret;
};

/*
 * Up to 6.6 overlayfs opens the real file with the overlay's path, so the directories that the real
 * file is in have to be found from its inode; later kernels give the real path. And a file that was
 * copied up is still the lower one: what rules say of that counts.
 */
static __always_inline __u64 wd_layer_beneath(const struct wd_request *request)
{
	if (request->from->d_inode != request->inode)
		return wd_alias_of(request->inode);
	if (wd_magic_of(request->inode) != WD_OVERLAYFS_MAGIC)
		return 0;
	return wd_overlay_lower(request->inode);
}

/* Judges one layer. Not 0: there is nothing more to judge, or it was denied. */
static __noinline int wd_judge_layer(__u32 layer, struct wd_layers *at)
{
	struct wd_request *request = at->request;

	if (layer) {
		request->start = wd_layer_beneath(request);
		if (!request->start)
			return 1;
	}
	at->ret = wd_walk_and_judge(at->generation, request);
	return at->ret != 0;
}

/*
 * Judges an open that was not quiet: the layer that was opened, then the one beneath. Not in a loop:
 * newer verifiers follow loops until nothing changes any more, and that of 6.19 found no end to this
 * one. For each state in which a layer begins it is followed anew: what differs between them is made
 * a number that no verifier knows.
 */
static __always_inline int wd_judge_layers(const struct wd_generation *generation,
					   struct wd_request *request)
{
	struct wd_layers at = { .generation = generation, .request = request };
	__u64 nil = wd_nil(generation);

	request->start = nil;
	request->echo |= nil;
	request->borrows |= nil;
	at.ret = nil;
	if (!wd_judge_layer(0, &at))
		wd_judge_layer(1, &at);
	return at.ret ? -WD_EACCES : 0;
}

/* Most requests end here: no rule is about them. */
static __always_inline int wd_concerns_nobody(const struct wd_generation *generation,
					      struct wd_request *request)
{
	__u32 names = 0;
	int quiet;

	/* There the verifier has no room for both ways of a rename: it is always walked. */
	if (request->op == WD_OP_RENAME && wd_path_is_loose())
		return 0;
	quiet = wd_is_quiet(generation, request->from, request->inode, request->loose, &names);
	if (!quiet || !request->to)
		return quiet;
	if (request->op == WD_OP_RENAME)
		return wd_is_quiet_beside(generation, request->from, request->to, quiet, names);
	return wd_is_quiet(generation, request->to, request->to->d_inode, 0, &names);
}

#ifdef WD_ORACLE
#define WD_COMPARING 1
#include "oracle.h"
#else
#define WD_COMPARING 0
static __always_inline __u32 wd_oracle_begins(void)
{
	return 0;
}

static __always_inline int wd_ask_oracle(const struct wd_generation *generation,
					 struct wd_request *request, __u32 before, int quiet)
{
	return 0;
}
#endif

static __always_inline int wd_enforce(struct wd_request *request)
{
	const struct wd_generation *generation = wd_committed();
	__u32 before = wd_oracle_begins();
	int quiet;

	if (!generation)
		return 0;
	quiet = wd_concerns_nobody(generation, request);
	if (quiet)
		return wd_ask_oracle(generation, request, before, quiet);
	return wd_walk_and_judge(generation, request);
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
	slot = wd_borrow(wd_nil(judge.generation));
	if (!slot)
		return wd_deny_blind();
	judge.findings = &slot->findings;
	slot->findings.own_creds = 1;
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
