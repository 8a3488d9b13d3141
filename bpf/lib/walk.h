/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * walk.h - which rules cover an object: visits it and every directory above it.
 *
 * One text for the live walk over dentries, the test program and native C. The including file says
 * what a step is and where records are found, by defining first:
 *
 *   struct wd_cursor                            a place in a chain of names, on the stack
 *   struct wd_place                             the part of it that changes as a number
 *   wd_zero(to, bytes)                          zeroes memory of the findings
 *   wd_find_object/name/label/exempt/group(judge, key) records of the generation, or NULL
 *   wd_cursor_read(judge)                       puts the identity here into judge->node; 0: a name
 *                                               without an inode; negative: cannot tell
 *   wd_cursor_name(judge, name)                 the zero-padded name of the step below
 *   wd_cursor_up(judge)                         1: moved to the parent; 0: this was the root;
 *                                               negative: cannot tell
 *
 * An unprotected object stays cheap: nothing is collected before the first record is found, and a
 * name is looked up only in a directory whose record says that it holds protected names.
 */
#ifndef WD_WALK_H
#define WD_WALK_H

#include "decide.h"
#include "facts.h"

/*
 * Everything that one request collects. Not on the stack, which has 512 bytes; and the verifier
 * does not follow values in a map, where on the stack it would try every combination of these
 * flags.
 */
struct wd_findings {
	struct wd_covers covers;
	struct wd_name_key key; /* of the name being looked up */
	struct wd_terms terms;
	struct wd_decision decision;
	__u32 side;	  /* being walked, WD_SIDE_* */
	__u32 ancestor;	  /* 1: ancestor parts count, the operation takes a directory away */
	__u32 clean;	  /* 1: covers were cleared for this request */
	__u32 incomplete; /* 1: the walk did not see everything */
	__u32 finished;	  /* 1: the walk reached the root */
	__u32 settled;	  /* 1: the walk saw one moment of the tree */
	__u32 own_creds;  /* 1: the task's own credentials count, not those it borrowed */
	struct wd_place place;
	struct wd_subject subject;
};

struct wd_judge {
	const struct wd_generation *generation;
	struct wd_findings *findings;
	struct wd_cursor at;
	struct wd_identity node;
	__u64 moves; /* of struct wd_pass */
};

static const struct wd_object *wd_find_object(struct wd_judge *judge,
					      const struct wd_identity *identity);
static const struct wd_object *wd_find_name(struct wd_judge *judge, const struct wd_name_key *key);
static const struct wd_ruleset *wd_find_label(struct wd_judge *judge, const __u32 *label);
static const __u32 *wd_find_exempt(struct wd_judge *judge, const struct wd_exempt_key *key);
static const struct wd_group *wd_find_group(struct wd_judge *judge, const struct wd_group_key *key);
static int wd_cursor_read(struct wd_judge *judge);
static void wd_cursor_name(struct wd_judge *judge, char *name);
static int wd_cursor_up(struct wd_judge *judge);

static __always_inline void wd_merge(struct wd_ruleset *into, const struct wd_ruleset *rules,
				     __u32 words)
{
	into->word[0] |= rules->word[0];
	if (words <= 1)
		return;
	/* Unrolled: every loop with an exit per word multiplies what the verifier has to follow. */
	WD_UNROLL
	for (__u32 w = 1; w < WD_WORDS; w++)
		into->word[w] |= rules->word[w];
}

/* Most requests find nothing: they do not pay for clearing what they will not read. */
static __noinline int wd_clean(struct wd_judge *judge)
{
	struct wd_findings *findings = judge->findings;

	if (findings->clean)
		return 0;
	findings->clean = 1;
	wd_zero(&findings->covers, sizeof(findings->covers));
	return 0;
}

static __noinline int wd_add(struct wd_judge *judge, struct wd_ruleset *into, __u32 label)
{
	const struct wd_ruleset *rules;

	if (!label)
		return 0;
	rules = wd_find_label(judge, &label);
	if (rules)
		wd_merge(into, rules, wd_words(judge->generation));
	else
		judge->findings->incomplete = 1;
	return 0;
}

static __always_inline void wd_visit(struct wd_judge *judge, __u32 index)
{
	const struct wd_object *object = wd_find_object(judge, &judge->node);
	struct wd_findings *findings = judge->findings;
	struct wd_cover *cover;

	if (!object)
		return;
	wd_clean(judge);
	cover = &findings->covers.side[findings->side & 1];
	if (index == 0) {
		wd_add(judge, &cover->own, object->self);
		wd_add(judge, &cover->own, object->tree);
		if (findings->ancestor)
			wd_add(judge, &cover->own, object->ancestor);
		return;
	}
	wd_add(judge, &cover->chain, object->tree);
	if (!(object->flags & WD_OBJECT_HAS_NAMES))
		return;
	findings->key.parent = judge->node;
	wd_cursor_name(judge, findings->key.name);
	object = wd_find_name(judge, &findings->key);
	if (!object)
		return;
	if (index > 1) {
		wd_add(judge, &cover->chain, object->tree);
		return;
	}
	wd_add(judge, &cover->name, object->self);
	wd_add(judge, &cover->name, object->tree);
	if (findings->ancestor)
		wd_add(judge, &cover->own, object->ancestor);
}

/* One step upwards; the callback of bpf_loop, so 0 goes on and 1 ends. */
static __noinline long wd_step(__u32 index, struct wd_judge *judge)
{
	int here = wd_cursor_read(judge);
	int up;

	if (here > 0)
		wd_visit(judge, index);
	/* Only the first step may lack an inode: a name about to be created. */
	if (here < 0 || (here == 0 && index > 0))
		judge->findings->incomplete = 1;
	if (judge->findings->incomplete)
		return 1;
	up = wd_cursor_up(judge);
	if (up < 0)
		judge->findings->incomplete = 1;
	if (up == 0)
		judge->findings->finished = 1;
	return up != 1;
}

#endif
