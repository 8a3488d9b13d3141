/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cursor.h - one step of a live walk over dentries. Part of live.h.
 *
 * Normally dentries are pointers that the verifier knows, read without a call. An alias is known by
 * its address only, because no typed path leads from an inode to its dentries, and is read by
 * probes: slow, and only for what lies beneath overlayfs.
 */
#ifndef WD_CURSOR_H
#define WD_CURSOR_H

#define WD_TRACE_PRIME 0x9e3779b97f4a7c15ull

static __always_inline struct dentry *wd_alias(__u64 address)
{
	return (struct dentry *)address;
}

/*
 * Some dentry of the inode. Any of its names will do: a file of a tree gets no link outside
 * (REFER), and one that had such a link before is known by identity.
 */
static __always_inline __u64 wd_alias_of(struct inode *inode)
{
	struct hlist_node *first;

	if (!inode || !bpf_core_field_exists(struct dentry, d_u.d_alias))
		return 0;
	first = BPF_CORE_READ(inode, i_dentry.first);
	return first ? (__u64)first - bpf_core_field_offset(struct dentry, d_u.d_alias) : 0;
}

/* Hashes one link of the chain. While d_seq is the same, name and parent are. */
static __always_inline void wd_trace(struct wd_place *place, struct dentry *here)
{
	__u32 sequence = here->d_seq.seqcount.sequence;

	place->address = (__u64)here; /* a pointer becomes a number only by way of memory */
	barrier();
	place->trace = (place->trace ^ place->address) * WD_TRACE_PRIME + sequence;
	place->moving |= sequence & 1;
}

static __always_inline int wd_read_alias(struct wd_judge *judge)
{
	/* A local first: BPF_CORE_READ would relocate the members of our own structs as well. */
	struct dentry *here = wd_alias(judge->findings->place.alias);
	struct inode *inode = BPF_CORE_READ(here, d_inode);

	if (!inode)
		return 0;
	judge->node.ino = BPF_CORE_READ(inode, i_ino);
	judge->node.sub = 0;
	if (BPF_CORE_READ(inode, i_sb, s_magic) == WD_BTRFS_MAGIC)
		judge->node.sub = wd_btrfs_subvolume(inode);
	judge->node.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	judge->node.gen = BPF_CORE_READ(inode, i_generation);
	return 1;
}

static __always_inline int wd_cursor_read(struct wd_judge *judge)
{
	struct wd_place *place = &judge->findings->place;

	if (place->alias)
		return wd_read_alias(judge);
	if (place->tracing)
		wd_trace(place, judge->at.here);
	return wd_identify(judge->at.inode, &judge->node);
}

struct wd_fold {
	char *name;
	struct wd_findings *findings;
};

/* From the last byte to the first; the callback of bpf_loop. */
static __noinline long wd_fold_step(__u32 index, struct wd_fold *fold)
{
	struct wd_place *place = &fold->findings->place;
	__u32 at = (WD_NAME_MAX - 1 - index) & (WD_NAME_MAX - 1);
	char letter = fold->name[at];

	if (letter && (letter != '.' || !place->dotless))
		place->ending = 0;
	if (place->ending)
		fold->name[at] = 0;
	else if (letter >= 'A' && letter <= 'Z')
		fold->name[at] = letter | 0x20;
	/* Beyond ASCII, letters are equal that only the file system knows of. */
	if (letter & 0x80)
		fold->findings->incomplete = 1;
	return 0;
}

/* A name as it is looked up where names are compared without case. */
static __noinline int wd_fold_name(struct wd_judge *judge, struct inode *dir, char *name)
{
	struct wd_findings *findings = judge->findings;
	struct wd_fold fold = { .name = name, .findings = findings };

	if (!wd_folds(dir))
		return 0;
	findings->place.ending = 1;
	findings->place.dotless = !(dir->i_flags & WD_S_CASEFOLD);
	wd_repeat(WD_NAME_MAX, wd_fold_step, &fold);
	return 0;
}

static __always_inline void wd_copy_name(struct dentry *dentry, char *name)
{
	wd_zero(name, WD_NAME_MAX);
	if (dentry)
		bpf_probe_read_kernel_str(name, WD_NAME_MAX, dentry->d_name.name);
}

static __always_inline void wd_cursor_name(struct wd_judge *judge, char *name)
{
	struct dentry *below;

	if (!judge->findings->place.alias) {
		wd_copy_name(judge->at.below, name);
		wd_fold_name(judge, judge->at.inode, name);
		return;
	}
	below = wd_alias(judge->findings->place.alias_below);
	wd_zero(name, WD_NAME_MAX);
	bpf_probe_read_kernel_str(name, WD_NAME_MAX, BPF_CORE_READ(below, d_name.name));
}

static __always_inline int wd_up_alias(struct wd_place *place)
{
	struct dentry *here = wd_alias(place->alias);
	__u64 parent = (__u64)BPF_CORE_READ(here, d_parent);

	if (!parent)
		return -1;
	if (parent == place->alias)
		return 0;
	place->alias_below = place->alias;
	place->alias = parent;
	return 1;
}

static __always_inline int wd_cursor_up(struct wd_judge *judge)
{
	struct dentry *here = judge->at.here;
	struct dentry *parent;

	if (judge->findings->place.alias)
		return wd_up_alias(&judge->findings->place);
	parent = here->d_parent;
	if (!parent)
		return -1;
	if (parent != here) {
		judge->at.below = here;
		judge->at.here = parent;
		judge->at.inode = parent->d_inode;
		return 1;
	}
	/*
	 * A root by name, or a file opened by handle whose directories are not known yet. Pipes and
	 * memfds are roots of their own without this flag. Only the kernel opens a directory in
	 * that state, to find its name before it gives the handle's owner anything.
	 */
	if ((here->d_flags & WD_DCACHE_DISCONNECTED) && !judge->findings->place.directory)
		return -1;
	return 0;
}

#endif
