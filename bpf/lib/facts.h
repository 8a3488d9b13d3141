/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * facts.h - what a decision needs to know of the process that asks.
 */
#ifndef WD_FACTS_H
#define WD_FACTS_H

#include "abi.h"

/* An executable, as an object is: what it is, and where its name is. */
struct wd_program {
	struct wd_identity file;   /* all zero: none, as kernel threads */
	struct wd_identity parent; /* the directory of its name */
	__u32 known;		   /* 1: file is set */
};

/* Class numbers of one executable: none, by identity, by name, and none again: a power of two. */
#define WD_CLASSES 4

/* Kept in scratch, because the stack is too small and the verifier follows every number on it. */
struct wd_subject {
	struct wd_program exe;
	struct wd_program up; /* the parent process */
	__u32 uid;
	__u32 depth; /* names of the control group, at most WD_CGROUP_DEPTH */
	__u32 exe_class[WD_CLASSES];
	__u32 up_class[WD_CLASSES];
	/* While the control group is followed. */
	__u32 node;  /* of the next name; 0: no policy goes further */
	__u32 units; /* 1: the next name may be a unit */
	__u32 group; /* of the rows that are collected now; 0: of any process */
	struct wd_group_key key;
	__u64 name_at[WD_CGROUP_DEPTH]; /* where the kernel has the names */
	struct wd_ruleset outside;	/* rules whose scope this process is not in */
};

#endif
