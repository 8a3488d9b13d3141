/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * decide.h - the decision over sets of rules: which rule denies, audits, or none.
 *
 * Pure: no map, no kernel type, no state. The same text is compiled into the LSM programs, into the
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
	struct wd_ruleset own; /* of the object's identity */
	struct wd_ruleset name; /* of the object's name */
	struct wd_ruleset chain; /* tree parts of every directory above: also the REFER set */
};

/* What a decision is made of: the rules on each side, and those that do not hold for the subject. */
struct wd_covers {
	struct wd_cover side[2]; /* WD_SIDE_* */
	struct wd_ruleset exempt;
};

struct wd_terms {
	__u32 op[2]; /* on the object; WD_OP_UNSET is no term */
	__u32 create; /* 1: the destination name comes into being */
	__u32 remove; /* 1: what the destination name leads to is deleted */
	__u32 refer; /* 1: rules of `from`'s directories must hold at `to` as well */
};

struct wd_decision {
	__u32 action;
	__u32 rule;
	__u32 reason;
	__u32 op; /* of the term that denied; for REFER the operation asked for */
	__u32 side; /* whose object the event names */
};

/* The one table from an operation of the policy language to terms; hooks and vectors use it. */
static __always_inline void wd_terms_of(struct wd_terms *terms, __u32 op, __u32 and_op,
					__u32 replaces)
{
	__u32 moves = op == WD_OP_RENAME || op == WD_OP_LINK;

	terms->op[0] = op;
	terms->op[1] = and_op;
	terms->create = moves;
	terms->remove = op == WD_OP_RENAME && replaces;
	terms->refer = moves;
}

static __always_inline __u32 wd_words(const struct wd_generation *generation)
{
	__u32 words = (generation->rules + 63) / 64;

	return words > WD_WORDS ? WD_WORDS : words;
}

static __always_inline __u64 wd_listing(const struct wd_generation *generation, __u32 op, __u32 w)
{
	return op ? generation->op[op & (WD_OPS - 1)].word[w] : 0;
}

/* Rules that could have a say, wherever the object is. None: no walk is needed. */
static __noinline int wd_listed(const struct wd_generation *generation,
				const struct wd_terms *terms)
{
	__u32 words = wd_words(generation);
	__u64 any = 0;

	if (terms->refer)
		return 1;
	for (__u32 w = 0; w < WD_WORDS && w < words; w++)
		any |= wd_listing(generation, terms->op[0], w) |
		       wd_listing(generation, terms->op[1], w);
	return any != 0;
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

struct wd_hits {
	__u64 object;
	__u64 create;
	__u64 remove;
};

static __always_inline void wd_hits_of(struct wd_hits *hits, const struct wd_generation *generation,
				       const struct wd_covers *covers,
				       const struct wd_terms *terms, __u32 w)
{
	const struct wd_cover *from = &covers->side[WD_SIDE_FROM];
	const struct wd_cover *to = &covers->side[WD_SIDE_TO];
	__u64 there = to->name.word[w] | to->chain.word[w];

	hits->object = from->own.word[w] | from->name.word[w] | from->chain.word[w];
	hits->object &= wd_listing(generation, terms->op[0], w) |
			wd_listing(generation, terms->op[1], w);
	hits->create = there & wd_listing(generation, WD_OP_CREATE, w);
	hits->create &= -(__u64)terms->create;
	hits->remove = (there | to->own.word[w]) & wd_listing(generation, WD_OP_DELETE, w);
	hits->remove &= -(__u64)terms->remove;
}

/* Whether the subject matters: with no hit and no tree to leave, nobody can be denied. */
static __noinline int wd_relevant(const struct wd_generation *generation,
				  const struct wd_covers *covers, const struct wd_terms *terms)
{
	__u32 words = wd_words(generation);
	struct wd_hits hits;
	__u64 any = 0;

	for (__u32 w = 0; w < WD_WORDS && w < words; w++) {
		wd_hits_of(&hits, generation, covers, terms, w);
		any |= hits.object | hits.create | hits.remove;
		any |= covers->side[WD_SIDE_FROM].chain.word[w] & -(__u64)terms->refer;
	}
	return any != 0;
}

/*
 * Operations (bit = number) for which some rule of `to` holds this subject. `only` narrows the
 * rules to those in mode enforce; without it either mode carries.
 */
static __noinline __u32 wd_carried(const struct wd_generation *generation,
				   const struct wd_covers *covers, __u32 enforced)
{
	const struct wd_ruleset *to = &covers->side[WD_SIDE_TO].chain;
	__u32 words = wd_words(generation);
	__u32 carried = 0;

	for (__u32 w = 0; w < WD_WORDS && w < words; w++) {
		__u64 held = to->word[w] & ~covers->exempt.word[w];

		if (enforced)
			held &= generation->enforce.word[w];
		for (__u32 op = WD_OP_READ; op <= WD_OP_USE; op++)
			carried |= wd_nonzero(held & generation->op[op].word[w]) << op;
	}
	return carried;
}

/* Rules that list some operation outside `carried`. */
static __always_inline __u64 wd_uncarried(const struct wd_generation *generation, __u32 carried,
					  __u32 w)
{
	__u64 rules = 0;

	for (__u32 op = WD_OP_READ; op <= WD_OP_USE; op++)
		rules |= generation->op[op].word[w] & ((__u64)((carried >> op) & 1) - 1);
	return rules;
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

/* Fills in the lowest rule of `rules` and the term that it came from. */
static __always_inline void wd_report(struct wd_decision *out,
				      const struct wd_generation *generation,
				      const struct wd_terms *terms, const struct wd_hits *hits,
				      __u64 rules, __u32 w)
{
	__u64 rule = rules & -rules;

	out->rule = w * 64 + wd_bit_index(rule);
	out->reason = WD_REASON_RULE;
	out->op = terms->op[0];
	out->side = WD_SIDE_FROM;
	if (hits->object & rule) {
		if (!(wd_listing(generation, terms->op[0], w) & rule))
			out->op = terms->op[1];
	} else if (hits->create & rule) {
		out->op = WD_OP_CREATE;
		out->side = WD_SIDE_TO;
	} else if (hits->remove & rule) {
		out->op = WD_OP_DELETE;
		out->side = WD_SIDE_TO;
	} else {
		out->reason = WD_REASON_REFER;
	}
}

/*
 * Both forms return the action as well, and callers use it: a result that nobody reads is dropped by
 * the compiler, what is left in r0 may be a pointer to the stack, and the verifier rejects that.
 */
static __noinline __u32 wd_decide(const struct wd_generation *generation,
				const struct wd_covers *covers, const struct wd_terms *terms,
				struct wd_decision *out)
{
	__u32 words = wd_words(generation);
	__u32 carried_enforced = ~0u, carried = ~0u;
	struct wd_hits hits;

	*out = (struct wd_decision){ .action = WD_ACTION_ALLOW };
	if (terms->refer) {
		carried_enforced = wd_carried(generation, covers, 1);
		carried = wd_carried(generation, covers, 0);
	}
	for (__u32 w = 0; w < WD_WORDS && w < words; w++) {
		__u64 enforce = generation->enforce.word[w];
		__u64 held = ~covers->exempt.word[w];
		__u64 leaving = covers->side[WD_SIDE_FROM].chain.word[w] & held;
		__u64 deny, audit;

		wd_hits_of(&hits, generation, covers, terms, w);
		audit = (hits.object | hits.create | hits.remove) & held & ~enforce;
		audit |= leaving & ~enforce & wd_uncarried(generation, carried, w);
		deny = (hits.object | hits.create | hits.remove) & held & enforce;
		deny |= leaving & enforce & wd_uncarried(generation, carried_enforced, w);
		if (deny) {
			wd_report(out, generation, terms, &hits, deny, w);
			out->action = WD_ACTION_DENY;
			break;
		}
		if (audit && out->action == WD_ACTION_ALLOW) {
			wd_report(out, generation, terms, &hits, audit, w);
			out->action = WD_ACTION_AUDIT;
		}
	}
	return out->action;
}

/*
 * The verdict when cover is unknown: any rule that lists the operation and holds this subject
 * could have covered it. Never an allow while one could deny; not a deny where all could only
 * audit.
 */
static __noinline __u32 wd_decide_incomplete(const struct wd_generation *generation,
					     const struct wd_covers *covers,
					   const struct wd_terms *terms, struct wd_decision *out)
{
	__u32 words = wd_words(generation);
	__u64 deny = 0, audit = 0;

	for (__u32 w = 0; w < WD_WORDS && w < words; w++) {
		__u64 rules = wd_listing(generation, terms->op[0], w) |
			      wd_listing(generation, terms->op[1], w);

		if (terms->refer)
			rules = wd_uncarried(generation, 0, w);
		rules &= ~covers->exempt.word[w];
		deny |= rules & generation->enforce.word[w];
		audit |= rules & ~generation->enforce.word[w];
	}
	*out = (struct wd_decision){ .action = WD_ACTION_ALLOW };
	if (!deny && !audit)
		return WD_ACTION_ALLOW;
	out->action = deny ? WD_ACTION_DENY : WD_ACTION_AUDIT;
	out->reason = WD_REASON_INCOMPLETE;
	out->op = terms->op[0];
	return out->action;
}

#endif
