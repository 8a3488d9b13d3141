/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * subject.h - which rules do not hold for the process that asks.
 *
 * Executables are found like objects: by identity (a program that runs on after an upgrade replaced
 * its file) and by name (the file that is there now). Rows add up, so being found both ways never
 * exempts less than either. A rule with a scope holds only where one of its groups was met on the
 * way down the control groups.
 *
 * The including file defines the functions that are only declared here. This file comes after
 * walk.h.
 */
#ifndef WD_SUBJECT_H
#define WD_SUBJECT_H

#include "walk.h"

/* Fills exe, up, uid and depth of findings->subject; everything is zero before. */
static void wd_subject_read(struct wd_judge *judge);
/* The zero-padded name of an executable: of the process, or of its parent. */
static void wd_subject_name(struct wd_judge *judge, __u32 up, char *name);
/* The zero-padded name of the control group at a depth from the root; its length, 0: cannot tell. */
static __u32 wd_subject_group(struct wd_judge *judge, __u32 depth, char *name);

#define WD_SLICE_BYTES 6	  /* ".slice" */
#define WD_MATCHES_PARENT 0xf0f0u /* every m with WD_EXEMPT_PARENT */

static __always_inline __u32 wd_class_by_name(struct wd_judge *judge,
					      const struct wd_program *program, __u32 up)
{
	struct wd_findings *findings = judge->findings;
	const struct wd_object *object = wd_find_object(judge, &program->parent);

	if (!object || !(object->flags & WD_OBJECT_HAS_NAMES))
		return 0;
	findings->key.parent = program->parent;
	wd_subject_name(judge, up, findings->key.name);
	object = wd_find_name(judge, &findings->key);
	return object ? object->exe : 0;
}

/* The classes of the process, and of its parent; the callback of bpf_loop. */
static __noinline long wd_classify(__u32 up, struct wd_judge *judge)
{
	struct wd_subject *subject = &judge->findings->subject;
	const struct wd_program *program = up ? &subject->up : &subject->exe;
	__u32 *classes = up ? subject->up_class : subject->exe_class;
	const struct wd_object *object;

	classes[1] = 0;
	classes[2] = 0;
	if (!program->known)
		return 0;
	object = wd_find_object(judge, &program->file);
	if (object)
		classes[1] = object->exe;
	classes[2] = wd_class_by_name(judge, program, up);
	return 0;
}

/* One combination of facts: every pair of classes, with and without the uid. */
#define WD_COMBINATIONS (2 * WD_CLASSES * WD_CLASSES)

static __noinline long wd_add_row(__u32 index, struct wd_judge *judge)
{
	struct wd_subject *subject = &judge->findings->subject;
	struct wd_exempt_key row = { .group = subject->group };
	__u32 exe = (index >> 1) & (WD_CLASSES - 1);
	__u32 up = (index >> 3) & (WD_CLASSES - 1);
	const __u32 *label;

	/* Place 0 is "whatever it is"; another place without a class is nothing to look for. */
	row.exe = exe ? subject->exe_class[exe] : 0;
	row.parent = up ? subject->up_class[up] : 0;
	if ((exe && !row.exe) || (up && !row.parent))
		return 0;
	row.match = (exe ? WD_EXEMPT_EXE : 0) | (up ? WD_EXEMPT_PARENT : 0) |
		    (row.group ? WD_EXEMPT_GROUP : 0);
	if (index & 1) {
		row.match |= WD_EXEMPT_UID;
		row.uid = subject->uid;
	}
	if (!((judge->generation->matches >> row.match) & 1))
		return 0;
	label = wd_find_exempt(judge, &row);
	if (label)
		wd_add(judge, &judge->findings->covers.exempt, *label);
	return 0;
}

static __noinline int wd_remove(struct wd_judge *judge, struct wd_ruleset *from, __u32 label)
{
	const struct wd_ruleset *rules;

	if (!label)
		return 0;
	rules = wd_find_label(judge, &label);
	if (!rules) {
		judge->findings->incomplete = 1;
		return 0;
	}
	WD_UNROLL
	for (__u32 w = 0; w < WD_WORDS; w++)
		from->word[w] &= ~rules->word[w];
	return 0;
}

/* Looks for the name in the key; the process is in what is found. */
static __always_inline __u32 wd_enter(struct wd_judge *judge, __u32 node)
{
	struct wd_subject *subject = &judge->findings->subject;
	const struct wd_group *group;

	subject->key.node = node;
	group = wd_find_group(judge, &subject->key);
	if (!group)
		return 0;
	wd_remove(judge, &subject->outside, group->scope);
	subject->group = group->group;
	if (subject->group)
		wd_repeat(WD_COMBINATIONS, wd_add_row, judge);
	return group->next;
}

static __always_inline __u32 wd_is_slice(const char *name, __u32 length)
{
	__u32 at = length - WD_SLICE_BYTES;

	if (length <= WD_SLICE_BYTES || at >= WD_NAME_MAX - WD_SLICE_BYTES)
		return 0;
	/* What verifiers understand: they lose the bounds of a number that was compared shifted. */
	asm volatile("" : "+r"(at));
	at &= WD_NAME_MAX - 1;
	return name[at] == '.' && name[at + 1] == 's' && name[at + 2] == 'l' &&
	       name[at + 3] == 'i' && name[at + 4] == 'c' && name[at + 5] == 'e';
}

/* One name of the control group, from the root down; the callback of bpf_loop. */
static __noinline long wd_group_step(__u32 depth, struct wd_judge *judge)
{
	struct wd_subject *subject = &judge->findings->subject;
	__u32 length = wd_subject_group(judge, depth, subject->key.name);

	if (!length) {
		judge->findings->incomplete = 1;
		return 1;
	}
	if (subject->node)
		subject->node = wd_enter(judge, subject->node);
	/* Units have their group below slices. What lies inside a unit may be called anything by
	 * whoever the unit was delegated to. */
	if (subject->units) {
		wd_enter(judge, WD_GROUP_UNITS);
		subject->units = wd_is_slice(subject->key.name, length);
	}
	return !subject->node && !subject->units;
}

/* Fills covers.exempt. */
static __noinline int wd_exempt(struct wd_judge *judge)
{
	struct wd_findings *findings = judge->findings;
	struct wd_subject *subject = &findings->subject;
	__u32 before = findings->incomplete;

	wd_clean(judge);
	wd_zero(subject, sizeof(*subject));
	wd_subject_read(judge);
	wd_repeat(1 + !!(judge->generation->matches & WD_MATCHES_PARENT), wd_classify, judge);
	wd_repeat(WD_COMBINATIONS, wd_add_row, judge);
	if (!judge->generation->grouped)
		return 0;
	subject->outside = judge->generation->scoped;
	subject->node = WD_GROUP_ROOT;
	subject->units = 1;
	findings->incomplete = 0;
	wd_repeat(subject->depth, wd_group_step, judge);
	/* Who cannot be told to be outside of a scope is inside. */
	if (!findings->incomplete)
		wd_merge(&findings->covers.exempt, &subject->outside, wd_words(judge->generation));
	findings->incomplete |= before;
	return 0;
}

#endif
