/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * walk.h - which rules cover an object: visits it and every directory above it.
 *
 * One text for the live walk over dentries, the test program and native C. The including file says
 * what a step is and where records are found, by defining first:
 *
 *   struct wd_cursor                            a place in a chain of names
 *   wd_find_object/name/label/exempt(judge, key) records of the generation, or NULL
 *   wd_borrow(judge)                            judge->findings, fetched at first use; NULL: none
 *   wd_cursor_read(judge, index)                puts the identity here into judge->node; 0: a name
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

/* Everything that one request collects; too large for the stack of 512 bytes. */
struct wd_findings {
	struct wd_covers covers;
	struct wd_name_key key; /* of the name being looked up */
};

struct wd_judge {
	const struct wd_generation *generation;
	struct wd_findings *findings; /* NULL until the first record */
	struct wd_cursor at;
	struct wd_identity node;
	__u32 side;
	__u32 ancestor; /* 1: ancestor parts count, the operation moves a directory */
	__u32 covered; /* some rule was collected */
	__u32 incomplete; /* the walk did not see everything */
	__u32 finished; /* the walk reached the root */
};

static const struct wd_object *wd_find_object(struct wd_judge *judge,
					      const struct wd_identity *identity);
static const struct wd_object *wd_find_name(struct wd_judge *judge, const struct wd_name_key *key);
static const struct wd_ruleset *wd_find_label(struct wd_judge *judge, const __u32 *label);
static const __u32 *wd_find_exempt(struct wd_judge *judge, const struct wd_exempt_key *key);
static struct wd_findings *wd_borrow(struct wd_judge *judge);
static int wd_cursor_read(struct wd_judge *judge, __u32 index);
static void wd_cursor_name(struct wd_judge *judge, char *name);
static int wd_cursor_up(struct wd_judge *judge);

static __noinline int wd_add(struct wd_judge *judge, struct wd_ruleset *into, __u32 label)
{
	__u32 words = wd_words(judge->generation);
	const struct wd_ruleset *rules;

	if (!label)
		return 0;
	rules = wd_find_label(judge, &label);
	if (!rules) {
		judge->incomplete = 1;
		return 0;
	}
	judge->covered = 1;
	for (__u32 w = 0; w < WD_WORDS && w < words; w++)
		into->word[w] |= rules->word[w];
	return 0;
}

static __always_inline void wd_visit(struct wd_judge *judge, __u32 index)
{
	const struct wd_object *object = wd_find_object(judge, &judge->node);
	struct wd_findings *findings;
	struct wd_cover *cover;

	if (!object)
		return;
	findings = wd_borrow(judge);
	if (!findings) {
		judge->incomplete = 1;
		return;
	}
	cover = &findings->covers.side[judge->side & 1];
	if (index == 0) {
		wd_add(judge, &cover->own, object->self);
		wd_add(judge, &cover->own, object->tree);
		if (judge->ancestor)
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
	if (judge->ancestor)
		wd_add(judge, &cover->own, object->ancestor);
}

/* One step upwards; the callback of bpf_loop, so 0 goes on and 1 ends. */
static __noinline long wd_step(__u32 index, struct wd_judge *judge)
{
	int here = wd_cursor_read(judge, index);
	int up;

	if (here > 0)
		wd_visit(judge, index);
	/* Only the first step may lack an inode: a name about to be created. */
	if (here < 0 || (here == 0 && index > 0))
		judge->incomplete = 1;
	if (judge->incomplete)
		return 1;
	up = wd_cursor_up(judge);
	if (up < 0)
		judge->incomplete = 1;
	if (up == 0)
		judge->finished = 1;
	return up != 1;
}

static __always_inline void wd_clear(struct wd_ruleset *rules, __u32 words)
{
	for (__u32 w = 0; w < WD_WORDS && w < words; w++)
		rules->word[w] = 0;
}

static __noinline int wd_clear_side(struct wd_judge *judge, __u32 side)
{
	__u32 words = wd_words(judge->generation);
	struct wd_cover *cover;

	if (!judge->findings)
		return 0;
	cover = &judge->findings->covers.side[side & 1];
	wd_clear(&cover->own, words);
	wd_clear(&cover->name, words);
	wd_clear(&cover->chain, words);
	return 0;
}

#endif
