/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * subject.h - which rules do not hold for the process that asks.
 *
 * A subject is its effective uid and its executable, found like an object: by identity (a program
 * that runs on after an upgrade replaced its file) and by name (the file that is there now). Rows
 * add up, so being found both ways never exempts less than either.
 *
 * The including file defines wd_subject_read() and wd_subject_name(). This file comes after walk.h.
 */
#ifndef WD_SUBJECT_H
#define WD_SUBJECT_H

#include "walk.h"

struct wd_subject {
	struct wd_identity exe;	   /* all zero: no executable, as kernel threads */
	struct wd_identity parent; /* the directory of its name */
	__u32 uid;
	__u32 known; /* 1: exe is set */
};

static void wd_subject_read(struct wd_judge *judge, struct wd_subject *subject);
static void wd_subject_name(struct wd_judge *judge, char *name);

static __noinline int wd_add_exempt(struct wd_judge *judge, __u32 exe, __u32 uid, __u32 match)
{
	struct wd_exempt_key key = { .exe = exe, .uid = uid, .match = match };
	const __u32 *label = wd_find_exempt(judge, &key);

	if (label)
		wd_add(judge, &judge->findings->covers.exempt, *label);
	return 0;
}

static __noinline int wd_add_class(struct wd_judge *judge, __u32 exe, __u32 uid)
{
	if (!exe)
		return 0;
	wd_add_exempt(judge, exe, 0, WD_EXEMPT_EXE);
	wd_add_exempt(judge, exe, uid, WD_EXEMPT_EXE | WD_EXEMPT_UID);
	return 0;
}

/* Fills covers.exempt. */
static __noinline int wd_exempt(struct wd_judge *judge)
{
	struct wd_findings *findings = judge->findings;
	struct wd_subject subject = {};
	const struct wd_object *object;

	wd_clean(judge);
	wd_subject_read(judge, &subject);
	wd_add_exempt(judge, 0, subject.uid, WD_EXEMPT_UID);
	if (!subject.known)
		return 0;
	object = wd_find_object(judge, &subject.exe);
	if (object)
		wd_add_class(judge, object->exe, subject.uid);
	object = wd_find_object(judge, &subject.parent);
	if (!object || !(object->flags & WD_OBJECT_HAS_NAMES))
		return 0;
	findings->key.parent = subject.parent;
	wd_subject_name(judge, findings->key.name);
	object = wd_find_name(judge, &findings->key);
	if (object)
		wd_add_class(judge, object->exe, subject.uid);
	return 0;
}

#endif
