/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * quiet.h - sees at little cost that no rule can cover an object, in whatever way it is named.
 *
 * An object is quiet when its identity is in no row, nothing is said of its name, and nothing
 * covers the directories above it. What is quiet is allowed by every rule to every subject, so the
 * walk of walk.h need not be made; what is not quiet, or cannot be told, is judged by it. This file
 * never denies.
 *
 * Only the answer for "the directories above" is kept (kept.h), for the parent directory: a file
 * that has further names, or gets one, is asked by its own identity and its present parent each
 * time.
 */
#ifndef WD_QUIET_H
#define WD_QUIET_H

#include "kept.h"
#include "live.h"

#define WD_HERE_NAMES 1 /* some name in this directory is protected */
#define WD_HERE_TREE 2	/* what is below this directory is covered, or it cannot be told */

/* What wd_is_quiet() answers; zero is no. */
#define WD_QUIET_KEPT 1	 /* an entry says so */
#define WD_QUIET_FRESH 2 /* worked out now */

struct wd_clearing {
	const struct wd_generation *generation;
	const struct wd_filter *filter;
	struct dentry *here;
	__u64 unclear; /* 0 when the root was reached; starts as a number that no verifier knows */
};

static __always_inline const struct wd_filter *wd_filter_in_force(__u32 bank)
{
	void *map = bpf_map_lookup_elem(&filters, &bank);
	__u32 zero = 0;

	return map ? bpf_map_lookup_elem(map, &zero) : NULL;
}

static __always_inline const struct wd_object *wd_object_of(const struct wd_generation *generation,
							    struct inode *inode, int *ret_unknown)
{
	__u32 bank = generation->bank;
	struct wd_identity identity;
	void *map = bpf_map_lookup_elem(&objects, &bank);

	*ret_unknown = !map || wd_identify(inode, &identity) <= 0;
	return *ret_unknown ? NULL : bpf_map_lookup_elem(map, &identity);
}

/* Whether the identity has a row: anything may follow from it. */
static __noinline int wd_is_object(const struct wd_generation *generation, struct inode *inode)
{
	int unknown;

	return wd_object_of(generation, inode, &unknown) || unknown;
}

/* What a directory's own row says of everything in it. */
static __noinline int wd_examine(const struct wd_generation *generation, struct inode *inode)
{
	int unknown;
	const struct wd_object *object = wd_object_of(generation, inode, &unknown);

	if (unknown)
		return WD_HERE_TREE;
	if (!object)
		return 0;
	if (object->tree)
		return WD_HERE_TREE;
	return object->flags & WD_OBJECT_HAS_NAMES ? WD_HERE_NAMES : 0;
}

/* Whether a name in a directory may be one of those that `words` has bits of. */
static __always_inline int wd_maybe_named(const __u64 *words, struct inode *dir,
					  struct dentry *dentry)
{
	__u32 length = dentry->d_name.len;
	__u64 head = 0;

	if (bpf_probe_read_kernel(&head, sizeof(head), dentry->d_name.name))
		return 1;
	if (length < sizeof(head))
		head &= (1ull << (length * 8 & 63)) - 1;
	return wd_filter_bit(words, wd_filter_name(dir->i_ino, length, head));
}

/* Goes to the directory above, if that one covers nothing below it; the callback of bpf_loop. */
static __noinline long wd_clear_step(__u32 index, struct wd_clearing *at)
{
	struct dentry *here = at->here;
	struct dentry *parent = here->d_parent;
	struct inode *inode;
	int says;

	if (!parent)
		return 1;
	if (parent == here) {
		if (!(here->d_flags & WD_DCACHE_DISCONNECTED))
			at->unclear = 0;
		return 1;
	}
	inode = parent->d_inode;
	if (!inode)
		return 1;
	if (wd_filter_bit(at->filter->objects, wd_filter_object(inode->i_ino))) {
		says = wd_examine(at->generation, inode);
		if (says & WD_HERE_TREE)
			return 1;
		if (says && (wd_folds(inode) || wd_maybe_named(at->filter->trees, inode, here)))
			return 1;
	}
	at->here = parent;
	return 0;
}

/*
 * File systems on which an inode has one identity, its own, and names are compared byte by byte. On
 * others (layers, folded names, servers) more may be said of an object than its own dentry shows:
 * nothing is kept there, and everything walked.
 */
static __always_inline int wd_is_plain(const struct inode *inode)
{
	const struct super_block *sb = inode->i_sb;

	if (!sb || (inode->i_flags & WD_S_CASEFOLD))
		return 0;
	switch (sb->s_magic) {
	case 0xef53:	 /* ext2, ext3, ext4 */
	case 0x58465342: /* xfs */
	case 0x9123683e: /* btrfs */
	case 0x01021994: /* tmpfs, devtmpfs */
	case 0x858458f6: /* ramfs */
	case 0x73717368: /* squashfs */
	case 0xe0f5e1e2: /* erofs */
	case 0x9fa0:	 /* proc */
	case 0x62656572: /* sysfs */
		return 1;
	}
	return 0;
}

/* Works the answer out and keeps it, in `entry` if there is one, unless the dentry is `loose`. */
static __noinline int wd_settle(const struct wd_generation *generation, struct dentry *dentry,
				struct wd_quiet *entry, __u64 loose, __u32 *ret_names)
{
	const struct wd_filter *filter = wd_filter_in_force(generation->bank);
	struct wd_quiet answer = {
		.tag = wd_tag_of(generation),
		.jiffies = bpf_jiffies64(),
		.sequence = wd_rename_sequence(),
	};
	struct wd_clearing at = {
		.generation = generation,
		.filter = filter,
		.unclear = generation->rules,
	};
	struct dentry *parent = dentry->d_parent;
	struct inode *dir;
	int says = 0, named;

	if (!filter || (answer.sequence & 1) || !parent || parent == dentry)
		return 0;
	dir = parent->d_inode;
	if (!dir || !wd_is_plain(dir))
		return 0;
	if (wd_filter_bit(filter->objects, wd_filter_object(dir->i_ino)))
		says = wd_examine(generation, dir);
	if (says & WD_HERE_TREE)
		return 0;
	at.here = parent;
	wd_repeat(WD_DEPTH_MAX, wd_clear_step, &at);
	if (at.unclear)
		return 0;
	named = says && wd_maybe_named(filter->names, dir, dentry);
	/* Nothing moved since the first line: all of the above was true at one moment. */
	if (answer.sequence != wd_rename_sequence())
		return 0;
	answer.dentry = (__u64)parent;
	answer.names = says;
	*ret_names = says;
	if (entry)
		wd_write_entry(entry, &answer);
	else if (!loose)
		wd_make_entry(&answer, dir);
	return named ? 0 : WD_QUIET_FRESH;
}

/* Whether the inode's identity may have a row; NULL has none. */
static __always_inline int wd_is_listed(const struct wd_generation *generation,
					const struct wd_filter *filter, struct inode *inode)
{
	return inode && wd_filter_bit(filter->objects, wd_filter_object(inode->i_ino)) &&
	       wd_is_object(generation, inode);
}

/*
 * Not 0: no rule covers the object. `inode` is NULL for a name that leads nowhere. *ret_names is
 * set then: 1 when other names in the same directory are protected. `loose`: wd_path_is_loose().
 *
 * The one moment at which all of this is true is that of reading the count of moves: the entry says
 * that nothing above the parent moved since it was made, and d_seq that the object had this parent
 * and this name from before that moment until after it.
 */
static __always_inline int wd_is_quiet(const struct wd_generation *generation,
				       struct dentry *dentry, struct inode *inode, __u64 loose,
				       __u32 *ret_names)
{
	const struct wd_filter *filter = wd_filter_in_force(generation->bank);
	struct wd_quiet *entry;
	struct dentry *parent;
	struct inode *dir;
	__u32 before;

	if (!filter || wd_is_listed(generation, filter, inode))
		return 0;
	if (loose)
		return wd_settle(generation, dentry, NULL, loose, ret_names);
	before = dentry->d_seq.seqcount.sequence;
	wd_barrier();
	parent = dentry->d_parent;
	if (!parent || parent == dentry)
		return 0;
	dir = parent->d_inode;
	if (!dir)
		return 0;
	entry = bpf_inode_storage_get(&quiet, dir, NULL, 0);
	if (!entry || !wd_holds(entry, generation, parent, ret_names))
		return wd_settle(generation, dentry, entry, loose, ret_names);
	if (WD_PLANTED != 3 && *ret_names &&
	    (wd_folds(dir) || wd_maybe_named(filter->names, dir, dentry)))
		return 0;
	wd_barrier();
	return before == dentry->d_seq.seqcount.sequence ? WD_QUIET_KEPT : 0;
}

/*
 * The same for the new name of a rename, after the old one was quiet. The caller holds the locks of
 * both directories, so neither name can leave its own: where it is the same one, nothing is left to
 * ask but the inode that is there.
 */
static __always_inline int wd_is_quiet_beside(const struct wd_generation *generation,
					      struct dentry *from, struct dentry *to, int quiet,
					      __u32 names)
{
	const struct wd_filter *filter = wd_filter_in_force(generation->bank);

	if (names || to->d_parent != from->d_parent)
		return wd_is_quiet(generation, to, to->d_inode, 0, &names);
	if (!filter || wd_is_listed(generation, filter, to->d_inode))
		return 0;
	return quiet;
}

#endif
