/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter.h - bits that say "certainly not in the tables" of a generation; the loader sets them.
 *
 * Invariant: a bit that is not set proves that no row has such a key. A bit that is set proves
 * nothing: the table itself is asked. So a filter saves time and can never decide; a missing one
 * counts as all bits set. The loader computes it from the rows, fills it aside with them and
 * compares it again whenever the tables are read back.
 */
#ifndef WD_FILTER_H
#define WD_FILTER_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* 65,536 rows set one bit in sixteen. */
#define WD_FILTER_SHIFT 20
#define WD_FILTER_WORDS ((1u << WD_FILTER_SHIFT) / 64)
#define WD_FILTER_PRIME 0x9e3779b97f4a7c15ull

struct wd_filter {
	__u64 objects[WD_FILTER_WORDS]; /* by inode number */
	__u64 names[WD_FILTER_WORDS];	/* by the parent's inode number, length and first bytes */
	__u64 trees[WD_FILTER_WORDS];	/* those of the names that cover what is below them */
};

static inline __attribute__((always_inline)) __u32 wd_filter_object(__u64 ino)
{
	return (ino * WD_FILTER_PRIME) >> (64 - WD_FILTER_SHIFT);
}

/* `head` is the name's first eight bytes, little-endian, zeroes after its end. */
static inline __attribute__((always_inline)) __u32 wd_filter_name(__u64 parent_ino, __u32 length,
								  __u64 head)
{
	__u64 mixed = (head ^ parent_ino * WD_FILTER_PRIME) + length;

	return (mixed * WD_FILTER_PRIME) >> (64 - WD_FILTER_SHIFT);
}

static inline __attribute__((always_inline)) __u64 wd_filter_bit(const __u64 *words, __u32 bit)
{
	return words[(bit / 64) & (WD_FILTER_WORDS - 1)] >> (bit % 64) & 1;
}

#endif
