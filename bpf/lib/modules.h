/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * modules.h - what btrfs and overlayfs know of an inode beside what every file system does.
 *
 * Both are modules, so their types are not in the kernel's own BTF and may come after the programs
 * were loaded: the loader reads the offsets from the module's BTF and writes them here before it
 * resolves. Until then no generation has an object on btrfs, and none is beneath overlayfs.
 */
#ifndef WD_MODULES_H
#define WD_MODULES_H

#include "abi.h"
#include "kernel.h"

#define WD_BTRFS_MAGIC 0x9123683e
#define WD_OVERLAYFS_MAGIC 0x794c7630
#define WD_FAT_MAGIC 0x4d44
#define WD_EXFAT_MAGIC 0x2011bab0
#define WD_OFFSET_MASK 0x3fff /* tells the verifier that sums stay small */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wd_layouts);
} layouts SEC(".maps");

static __always_inline const struct wd_layouts *wd_layouts_known(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&layouts, &zero);
}

static __always_inline __u64 wd_read_pointer(__u64 address)
{
	__u64 pointer = 0;

	bpf_probe_read_kernel(&pointer, sizeof(pointer), (const void *)address);
	return pointer;
}

/* The struct that an inode is embedded in. Read from the stack: a pointer becomes a number so. */
static __always_inline __u64 wd_container(const struct inode *inode, __u32 offset)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &inode);
	return address - (offset & WD_OFFSET_MASK);
}

/* A file and its snapshot are equal but for this. Ids begin at 5; 0: not known. */
static __noinline __u64 wd_btrfs_subvolume(const struct inode *inode)
{
	const struct wd_layouts *offsets = wd_layouts_known();
	__u64 root;

	if (!offsets || !offsets->btrfs_known)
		return 0;
	root = wd_read_pointer(wd_container(inode, offsets->btrfs_inode) +
			       (offsets->btrfs_root & WD_OFFSET_MASK));
	return root ? wd_read_pointer(root + (offsets->btrfs_root_id & WD_OFFSET_MASK)) : 0;
}

/*
 * Address of the topmost lower dentry of what overlayfs shows, for a file that was copied up too;
 * 0: there is none.
 */
static __noinline __u64 wd_overlay_lower(const struct inode *inode)
{
	const struct wd_layouts *offsets = wd_layouts_known();
	__u64 own, entry;

	if (!offsets || !offsets->overlay_known)
		return 0;
	own = wd_container(inode, offsets->overlay_inode);
	if (!offsets->overlay_entry)
		return wd_read_pointer(own + (offsets->overlay_lower & WD_OFFSET_MASK));
	entry = wd_read_pointer(own + (offsets->overlay_entry & WD_OFFSET_MASK));
	/* The number of lower layers is the first member. */
	if (!entry || !(__u32)wd_read_pointer(entry))
		return 0;
	return wd_read_pointer(entry + (offsets->overlay_lower & WD_OFFSET_MASK));
}

static __always_inline __u64 wd_magic_of(const struct inode *inode)
{
	const struct super_block *sb = inode ? inode->i_sb : NULL;

	return sb ? sb->s_magic : 0;
}

/* Whether names in this directory are compared without case; FAT's also without dots at the end. */
static __always_inline int wd_folds(const struct inode *dir)
{
	__u64 magic = wd_magic_of(dir);

	return magic == WD_FAT_MAGIC || magic == WD_EXFAT_MAGIC ||
	       (dir && (dir->i_flags & WD_S_CASEFOLD));
}

#endif
