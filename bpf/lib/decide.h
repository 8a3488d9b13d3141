/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * decide.h - the decision over sets of rules: which rule denies, audits, or none.
 *
 * Pure: no map, no kernel type, no state. Sets are visited by wd_repeat(n, fn, ctx), which the including
 * file defines: bpf_loop here, whose body is verified once however many words there are, for there. The same text is compiled into the LSM programs, into the
 * test program and natively, so what the vectors test is what the kernel runs.
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

#include "abi.h"

#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef WD_EACCES
#define WD_EACCES 13
#endif

#define WD_SIDE_FROM 0u
#define WD_SIDE_TO 1u

/* The rules that a walk found for one side of a request. */
struct wd_cover {
	struct wd_ruleset own;	 /* of the object's identity */
	struct wd_ruleset name;	 /* of the object's name */
	struct wd_ruleset chain; /* tree parts of every directory above: also the REFER set */
};

/* What a decision is made of: the rules on each side, and those that do not hold for the subject. */
struct wd_covers {
	struct wd_cover side[2]; /* WD_SIDE_* */
	struct wd_ruleset exempt;
};

#define WD_TERM_OPS 3

struct wd_terms {
	__u32 op[WD_TERM_OPS]; /* on the object; WD_OP_UNSET is no term */
	__u32 create;	       /* 1: the destination name comes into being */
	__u32 remove;	       /* 1: what the destination name leads to is deleted */
	__u32 refer;	       /* 1: rules of `from`'s directories must hold at `to` as well */
};

struct wd_decision {
	__u32 action;
	__u32 rule;
	__u32 reason;
	__u32 op;   /* of the term that denied; for REFER the operation asked for */
	__u32 side; /* whose object the event names */
	/* Intermediate results, over all words. */
	__u32 carried; /* operations that some rule of the destination lists, in either mode */
	__u32 carried_enforced; /* the same in mode enforce */
	__u64 any;
};

/* The one table from an operation of the policy language to terms; hooks and vectors use it. */
static __always_inline void wd_terms_of(struct wd_terms *terms, __u32 op, __u32 replaces)
{
	__u32 moves = op == WD_OP_RENAME || op == WD_OP_LINK;

	terms->op[0] = op;
	terms->op[1] = WD_OP_UNSET;
	terms->op[2] = WD_OP_UNSET;
	terms->create = moves;
	terms->remove = op == WD_OP_RENAME && replaces;
	terms->refer = moves;
}

static __always_inline __u32 wd_words(const struct wd_generation *generation)
{
	__u32 words = (generation->rules + 63) / 64;

	return words > WD_WORDS ? WD_WORDS : words;
}

/* What one pass over the words of the sets works on. Results go to `out`. */
struct wd_pass {
	const struct wd_generation *generation;
	const struct wd_covers *covers;
	const struct wd_terms *terms;
	struct wd_decision *out;
};

static __always_inline __u64 wd_listing(const struct wd_generation *generation, __u32 op, __u32 w)
{
	return op ? generation->op[op & (WD_OPS - 1)].word[w] : 0;
}

/* Rules that list any operation asked of the object. */
static __always_inline __u64 wd_asked(const struct wd_generation *generation,
				      const struct wd_terms *terms, __u32 w)
{
	return wd_listing(generation, terms->op[0], w) | wd_listing(generation, terms->op[1], w) |
	       wd_listing(generation, terms->op[2], w);
}

/*
 * 1 when `value` is not zero, without a branch: the verifier would follow both ways of every bit, and
 * the opaque step keeps the compiler from making a branch of it again.
 */
static __always_inline __u64 wd_nonzero(__u64 value)
{
	value |= -value;
	asm volatile("" : "+r"(value));
	return value >> 63;
}

/* Rules that list some operation outside `carried`. */
static __noinline __u64 wd_uncarried(const struct wd_generation *generation, __u32 carried, __u32 w)
{
	__u64 rules = 0;

	if (w >= WD_WORDS)
		return 0;
	for (__u32 op = WD_OP_READ; op <= WD_OP_USE; op++)
		rules |= generation->op[op].word[w] & ((__u64)((carried >> op) & 1) - 1);
	return rules;
}

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

	if (pass->terms->refer || wd_asked(pass->generation, pass->terms, 0))
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
	pass->out->any |=
		pass->covers->side[WD_SIDE_FROM].chain.word[w] & -(__u64)pass->terms->refer;
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

/* Index of the only bit. clang 14 crashes on __builtin_ctzll for this target. */
static __always_inline __u32 wd_bit_index(__u64 bit)
{
	return wd_nonzero(bit & 0xffffffff00000000ull) << 5 |
	       wd_nonzero(bit & 0xffff0000ffff0000ull) << 4 |
	       wd_nonzero(bit & 0xff00ff00ff00ff00ull) << 3 |
	       wd_nonzero(bit & 0xf0f0f0f0f0f0f0f0ull) << 2 |
	       wd_nonzero(bit & 0xccccccccccccccccull) << 1 |
	       wd_nonzero(bit & 0xaaaaaaaaaaaaaaaaull);
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
	if (pass->terms->refer && leaving) {
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
	if (pass->terms->refer)
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
	rules = pass->terms->refer ? wd_uncarried(generation, 0, w)
				   : wd_asked(generation, pass->terms, w);
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
