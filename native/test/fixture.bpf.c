/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fixture.bpf.c - an object of the same shape as warder.bpf.o with three programs, one of which
 * every verifier rejects. Tests of the loader use it; it is never installed.
 *
 * file_open denies what `objects` holds, whatever the labels say; inode_getattr resolves.
 */
#include "abi.h"
#include "kernel.h"

#define OUTER(inner_type, flags, key, value, banks)                                                \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
		__uint(max_entries, banks);                                                        \
		__uint(key_size, sizeof(__u32));                                                   \
		__array(                                                                           \
			values, struct {                                                           \
				__uint(type, inner_type);                                          \
				__uint(map_flags, BPF_F_RDONLY_PROG | (flags));                    \
				__uint(max_entries, 1);                                            \
				__uint(key_size, sizeof(key));                                     \
				__uint(value_size, sizeof(value));                                 \
			});                                                                        \
	}

OUTER(BPF_MAP_TYPE_ARRAY, 0, __u32, struct wd_generation, 1) committed SEC(".maps");
OUTER(BPF_MAP_TYPE_HASH, 0, struct wd_identity, struct wd_object, WD_BANKS) objects SEC(".maps");
OUTER(BPF_MAP_TYPE_HASH, 0, struct wd_name_key, struct wd_object, WD_BANKS) names SEC(".maps");
OUTER(BPF_MAP_TYPE_ARRAY, BPF_F_INNER_MAP, __u32, struct wd_ruleset, WD_BANKS)
labels SEC(".maps");
OUTER(BPF_MAP_TYPE_HASH, 0, struct wd_exempt_key, __u32, WD_BANKS) exempt SEC(".maps");
OUTER(BPF_MAP_TYPE_HASH, 0, struct wd_group_key, struct wd_group, WD_BANKS) groups SEC(".maps");

OUTER(BPF_MAP_TYPE_ARRAY, 0, __u32, struct wd_glass, 1) glass SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} denials SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} canaries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} prover SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wd_self);
} self SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct wd_own_key);
	__type(value, __u32);
} own SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WD_HOOKS);
	__type(key, __u32);
	__type(value, struct wd_loaded);
} loaded SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wd_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wd_resolve);
} resolve SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wd_layouts);
} layouts SEC(".maps");

static __always_inline void identify(struct inode *inode, struct wd_identity *ret_identity)
{
	ret_identity->ino = BPF_CORE_READ(inode, i_ino);
	ret_identity->sub = 0;
	ret_identity->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	ret_identity->gen = BPF_CORE_READ(inode, i_generation);
}

/* An event of the smallest kind, and the counters that go with it. */
static __always_inline void tell(const struct wd_identity *object, __u64 generation)
{
	__u32 slot = 0;
	struct wd_counters *counter = bpf_map_lookup_elem(&counters, &slot);
	struct wd_event *event;

	if (!counter)
		return;
	counter->denied++;
	counter->decisions++;
	counter->sequence++;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		counter->dropped++;
		return;
	}
	counter->emitted++;
	__builtin_memset(event, 0, 64);
	event->sequence = counter->sequence;
	event->generation = generation;
	event->object = *object;
	bpf_ringbuf_submit(event, 0);
}

SEC("lsm/file_open")
int BPF_PROG(file_open, struct file *file, int ret)
{
	struct wd_identity identity;
	struct wd_generation *header;
	__u32 slot = 0, bank;
	void *inner;

	if (ret != 0)
		return ret;
	inner = bpf_map_lookup_elem(&committed, &slot);
	if (!inner)
		return 0;
	header = bpf_map_lookup_elem(inner, &slot);
	if (!header)
		return 0;
	bank = header->bank;
	inner = bpf_map_lookup_elem(&objects, &bank);
	if (!inner)
		return 0;
	identify(file->f_inode, &identity);
	if (!bpf_map_lookup_elem(inner, &identity))
		return 0;
	tell(&identity, header->generation);
	return -WD_EACCES;
}

SEC("lsm/inode_getattr")
int BPF_PROG(inode_getattr, const struct path *path, int ret)
{
	__u32 slot = 0;
	struct wd_resolve *request;
	struct inode *inode;

	request = bpf_map_lookup_elem(&resolve, &slot);
	if (!request || request->tid == 0 || request->tid != (__u32)bpf_get_current_pid_tgid())
		return ret;
	inode = BPF_CORE_READ(path, dentry, d_inode);
	identify(inode, &request->identity);
	request->nlink = BPF_CORE_READ(inode, i_nlink);
	request->mode = BPF_CORE_READ(inode, i_mode);
	request->magic = BPF_CORE_READ(inode, i_sb, s_magic);
	request->seen = 1;
	return ret;
}

/* Reads through a pointer that may be NULL: no verifier takes that. (Newer ones know that an array has an
 * entry for every constant index, so it is not an array.) */
SEC("lsm/inode_mkdir")
int BPF_PROG(inode_mkdir)
{
	struct wd_own_key key = {};
	const __u32 *found = bpf_map_lookup_elem(&own, &key);

	return *found ? -WD_EACCES : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
