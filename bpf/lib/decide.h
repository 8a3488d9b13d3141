/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * decide.h - the decision over sets of rules: which rule denies, audits, or none.
 *
 * Pure: no map, no kernel type, no state. The same text is compiled into the LSM programs, into the
 * test program and natively, so what the vectors test is what the kernel runs. Sets are visited by
 * wd_repeat(n, fn, ctx), which the including file defines: bpf_loop in the kernel, where fn is
 * verified once however many words there are; a loop natively.
 *
 * A request is a union of terms (cover, operation), plus REFER for moves and links:
 *   operations on the object         cover of `from`: own, name, chain
 *   CREATE of the destination name   name and chain of `to`: no inode is there yet
 *   DELETE of what is replaced there own, name and chain of `to`
 *   REFER                            chain of `from` against chain of `to`
 * Deliberately absent: any order between rules. The lowest bit is the rule that is reported.
 */
#ifndef WD_DECIDE_H
#define WD_DECIDE_H

#include "rules.h"

static __noinline long wd_listed_word(__u32 w, struct wd_pass *pass)
{
	if (w >= WD_WORDS)
		return 1;
	pass->out->any |= wd_asked(pass->generation, pass->terms, w);
	return 0;
}

/* Whether any rule could have a say, wherever the object is. If not, no walk is needed. */
static __always_inline int wd_listed(struct wd_pass *pass)
{
	__u32 words = wd_words(pass->generation);

	if (pass->moves || wd_asked(pass->generation, pass->terms, 0))
		return 1;
	if (words <= 1)
		return 0;
	pass->out->any = 0;
	wd_repeat(words, wd_listed_word, pass);
	return pass->out->any != 0;
}

/* Rules of one word that cover each term. */
struct wd_hits {
	__u64 object;
	__u64 create;
	__u64 remove;
};

static __always_inline void wd_hits_of(struct wd_hits *hits, const struct wd_pass *pass, __u32 w)
{
	const struct wd_generation *generation = pass->generation;
	const struct wd_cover *from = &pass->covers->side[WD_SIDE_FROM];
	const struct wd_cover *to = &pass->covers->side[WD_SIDE_TO];
	__u64 there = to->name.word[w] | to->chain.word[w];

	hits->object = from->own.word[w] | from->name.word[w] | from->chain.word[w];
	hits->object &= wd_asked(generation, pass->terms, w);
	hits->create = there & generation->op[WD_OP_CREATE].word[w];
	hits->create &= -(__u64)pass->terms->create;
	hits->remove = (there | to->own.word[w]) & generation->op[WD_OP_DELETE].word[w];
	hits->remove &= -(__u64)pass->terms->remove;
}

static __noinline long wd_relevant_word(__u32 w, struct wd_pass *pass)
{
	struct wd_hits hits;

	if (w >= WD_WORDS)
		return 1;
	wd_hits_of(&hits, pass, w);
	pass->out->any |= hits.object | hits.create | hits.remove;
	pass->out->any |= pass->covers->side[WD_SIDE_FROM].chain.word[w] & -pass->moves;
	return 0;
}

/* Whether the subject matters: with no hit and no tree to leave, nobody can be denied. */
static __always_inline int wd_relevant(struct wd_pass *pass)
{
	pass->out->any = 0;
	wd_repeat(wd_words(pass->generation), wd_relevant_word, pass);
	return pass->out->any != 0;
}

/* REFER: operations (bit = number) for which some rule at the destination holds this subject. */
static __noinline long wd_carried_word(__u32 w, struct wd_pass *pass)
{
	const struct wd_generation *generation = pass->generation;
	__u64 held, enforced;

	if (w >= WD_WORDS)
		return 1;
	held = pass->covers->side[WD_SIDE_TO].chain.word[w] & ~pass->covers->exempt.word[w];
	enforced = held & generation->enforce.word[w];
	for (__u32 op = WD_OP_READ; op <= WD_OP_USE; op++) {
		__u64 rules = generation->op[op].word[w];

		pass->out->carried |= wd_nonzero(held & rules) << op;
		pass->out->carried_enforced |= wd_nonzero(enforced & rules) << op;
	}
	return 0;
}

/* The operation on the object that the rule lists. */
static __always_inline __u32 wd_op_of(const struct wd_pass *pass, __u64 rule, __u32 w)
{
	const struct wd_terms *terms = pass->terms;

	if (wd_listing(pass->generation, terms->op[0], w) & rule)
		return terms->op[0];
	if (wd_listing(pass->generation, terms->op[1], w) & rule)
		return terms->op[1];
	return terms->op[2];
}

/* Fills in the lowest rule of `rules` and the term that it came from. */
static __noinline int wd_report(struct wd_pass *pass, const struct wd_hits *hits, __u64 rules,
				__u32 w)
{
	struct wd_decision *out = pass->out;
	__u64 rule = rules & -rules;

	if (w >= WD_WORDS)
		return 0;
	out->rule = w * 64 + wd_bit_index(rule);
	out->reason = WD_REASON_RULE;
	out->side = WD_SIDE_FROM;
	if (hits->object & rule) {
		out->op = wd_op_of(pass, rule, w);
	} else if (hits->create & rule) {
		out->op = WD_OP_CREATE;
		out->side = WD_SIDE_TO;
	} else if (hits->remove & rule) {
		out->op = WD_OP_DELETE;
		out->side = WD_SIDE_TO;
	} else {
		out->op = pass->terms->op[0];
		out->reason = WD_REASON_REFER;
	}
	return 0;
}

static __noinline long wd_decide_word(__u32 w, struct wd_pass *pass)
{
	const struct wd_generation *generation = pass->generation;
	struct wd_decision *out = pass->out;
	__u64 enforce, held, leaving, deny, audit;
	struct wd_hits hits;

	if (w >= WD_WORDS)
		return 1;
	enforce = generation->enforce.word[w];
	held = ~pass->covers->exempt.word[w];
	wd_hits_of(&hits, pass, w);
	deny = audit = (hits.object | hits.create | hits.remove) & held;
	leaving = pass->covers->side[WD_SIDE_FROM].chain.word[w] & held;
	if (pass->moves && leaving) {
		deny |= leaving & wd_uncarried(generation, out->carried_enforced, w);
		audit |= leaving & wd_uncarried(generation, out->carried, w);
	}
	deny &= enforce;
	audit &= ~enforce;
	if (deny) {
		wd_report(pass, &hits, deny, w);
		out->action = WD_ACTION_DENY;
		return 1;
	}
	if (audit && out->action == WD_ACTION_ALLOW) {
		wd_report(pass, &hits, audit, w);
		out->action = WD_ACTION_AUDIT;
	}
	return 0;
}

/* The verdict over complete covers. Words are visited in order, so the first deny is the lowest. */
static __always_inline void wd_decide(struct wd_pass *pass)
{
	__u32 words = wd_words(pass->generation);
	struct wd_decision *out = pass->out;

	*out = (struct wd_decision){ .action = WD_ACTION_ALLOW };
	if (pass->moves)
		wd_repeat(words, wd_carried_word, pass);
	wd_repeat(words, wd_decide_word, pass);
}

static __noinline long wd_incomplete_word(__u32 w, struct wd_pass *pass)
{
	const struct wd_generation *generation = pass->generation;
	struct wd_decision *out = pass->out;
	__u64 rules;

	if (w >= WD_WORDS)
		return 1;
	rules = pass->moves ? wd_uncarried(generation, 0, w) : wd_asked(generation, pass->terms, w);
	rules &= ~pass->covers->exempt.word[w];
	if (rules & generation->enforce.word[w])
		out->action = WD_ACTION_DENY;
	else if (rules && out->action == WD_ACTION_ALLOW)
		out->action = WD_ACTION_AUDIT;
	return 0;
}

/*
 * The verdict when cover is unknown: any rule that lists the operation and holds this subject
 * could have covered it. Never an allow while one could deny; not a deny where all could only
 * audit.
 */
static __always_inline void wd_decide_incomplete(struct wd_pass *pass)
{
	struct wd_decision *out = pass->out;

	*out = (struct wd_decision){ .action = WD_ACTION_ALLOW, .op = pass->terms->op[0] };
	wd_repeat(wd_words(pass->generation), wd_incomplete_word, pass);
	if (out->action != WD_ACTION_ALLOW)
		out->reason = WD_REASON_INCOMPLETE;
}

#endif
