/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rules.h - what a decision is made of: sets of rules, terms, and questions to one word of a set.
 */
#ifndef WD_RULES_H
#define WD_RULES_H

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
#ifdef __clang__
#define WD_UNROLL _Pragma("clang loop unroll(full)")
#else
#define WD_UNROLL
#endif

#define WD_SIDE_FROM 0u
#define WD_SIDE_TO 1u

/* The rules that a walk found for one side of a request. */
struct wd_cover {
	struct wd_ruleset own;	 /* of the object's identity */
	struct wd_ruleset name;	 /* of the object's name */
	struct wd_ruleset chain; /* tree parts of every directory above: also the REFER set */
};

/* What a decision is made of. `exempt`: the rules that do not hold for the subject. */
struct wd_covers {
	struct wd_cover side[2]; /* WD_SIDE_* */
	struct wd_ruleset exempt;
};

#define WD_TERM_OPS 3

struct wd_terms {
	__u32 op[WD_TERM_OPS]; /* on the object; WD_OP_UNSET is no term */
	__u32 create;	       /* 1: the destination name comes into being */
	__u32 remove;	       /* 1: what the destination name leads to is deleted */
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

static __always_inline __u32 wd_is_move(__u32 op)
{
	return op == WD_OP_RENAME || op == WD_OP_LINK;
}

/* The one table from an operation of the policy language to terms; hooks and vectors use it. */
static __always_inline void wd_terms_of(struct wd_terms *terms, __u32 op, __u32 replaces)
{
	__u32 moves = wd_is_move(op);

	terms->op[0] = op;
	terms->op[1] = WD_OP_UNSET;
	terms->op[2] = WD_OP_UNSET;
	terms->create = moves;
	terms->remove = op == WD_OP_RENAME && replaces;
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
	/* 1: a move or a link, so rules of `from`'s directories must hold at `to` as well. Here and not
	 * in the terms, where no verifier would know that most hooks have nothing to do with it. */
	__u64 moves;
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
 * 1 when `value` is not zero, without a branch: the verifier would follow both ways of every bit,
 * and the opaque step keeps the compiler from making a branch of it again.
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

#endif
