// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * self.bpf.c - closes Warder's own kernel objects and its process to everybody but the enforcer.
 *
 * Files (pins, store, programs, configuration) are closed by rules of the baseline, like any other
 * object; the enforcer itself is exempt from rules (enforce.h). What this cannot stop is listed in
 * docs/BYPASS_CATALOG.md.
 */
#include "enforce.h"
#include "self.h"

#define WD_PTRACE_MODE_ATTACH 0x02

static __noinline int wd_refuse_own(__u32 hook)
{
	if (wd_is_enforcer())
		return 0;
	return wd_refuse_self(hook, WD_OP_UNSET, NULL, NULL);
}

static __always_inline int wd_is_own(__u32 kind, __u32 id)
{
	struct wd_own_key key = { .kind = kind, .id = id };

	return bpf_map_lookup_elem(&own, &key) != NULL;
}

/* A descriptor of a map: by its id, by a pin, or of one just made. */
SEC("lsm/bpf_map")
int BPF_PROG(bpf_map, struct bpf_map *map, unsigned int mode, int ret)
{
	if (ret != 0)
		return ret;
	if (!wd_self_on() || !wd_is_own(WD_OWN_MAP, map->id))
		return 0;
	return wd_refuse_own(WD_HOOK_BPF_MAP);
}

/* A descriptor of a program is what replacing or tracing it takes. */
SEC("lsm/bpf_prog")
int BPF_PROG(bpf_prog, struct bpf_prog *prog, int ret)
{
	struct bpf_prog_aux *aux;

	if (ret != 0)
		return ret;
	aux = prog->aux;
	if (!wd_self_on() || !aux || !wd_is_own(WD_OWN_PROG, aux->id))
		return 0;
	return wd_refuse_own(WD_HOOK_BPF_PROG);
}

/* ptrace, process_vm_readv and _writev, /proc/PID/mem, pidfd_getfd. Reading facts, as ps does, is no
 * attachment. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(ptrace_access_check, struct task_struct *child, unsigned int mode, int ret)
{
	if (ret != 0)
		return ret;
	if (!(mode & WD_PTRACE_MODE_ATTACH) || !wd_self_on() || !wd_lineage_of(child))
		return 0;
	return wd_refuse_own(WD_HOOK_PTRACE_ACCESS_CHECK);
}

/* Init may end the service; the kernel goes on enforcing. */
SEC("lsm/task_kill")
int BPF_PROG(task_kill, struct task_struct *target, void *info, int sig, void *cred, int ret)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (ret != 0)
		return ret;
	if (!sig || !wd_self_on() || !wd_lineage_of(target) || task->tgid == 1)
		return 0;
	return wd_refuse_own(WD_HOOK_TASK_KILL);
}

/* Without any process of Warder's, unmounting the pins would end enforcement. */
SEC("lsm/sb_umount")
int BPF_PROG(sb_umount, struct vfsmount *mnt, int flags, int ret)
{
	struct wd_self *own_self = wd_self();
	struct super_block *sb;

	if (ret != 0)
		return ret;
	sb = mnt->mnt_sb;
	if (!own_self || !own_self->on || !sb || sb->s_dev != own_self->pins_dev)
		return 0;
	return wd_refuse_own(WD_HOOK_SB_UMOUNT);
}

static __always_inline __u32 wd_next_stage(struct task_struct *task, struct wd_self *own_self,
					   const struct wd_identity *exe)
{
	if (task->ptrace || !wd_sees_our_root(task, own_self))
		return 0;
	if (wd_same(exe, &own_self->launcher))
		return WD_LINEAGE_LAUNCHED;
	if (wd_same(exe, &own_self->runtime) && wd_lineage_of(task) == WD_LINEAGE_LAUNCHED)
		return WD_LINEAGE_ENFORCER;
	return 0;
}

/* The new program is in place, and the task leads its thread group. Judges nothing. */
SEC("lsm/bprm_committed_creds")
int BPF_PROG(bprm_committed_creds, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct wd_self *own_self = wd_self();
	struct wd_identity exe = {};
	struct file *file;
	__u32 *stage, next;

	if (!own_self || !own_self->launcher.ino)
		return 0;
	file = bprm->file;
	if (!file || wd_identify(file->f_inode, &exe) <= 0)
		return 0;
	next = wd_next_stage(task, own_self, &exe);
	stage = bpf_task_storage_get(&lineage, task, NULL,
				     next ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (stage)
		*stage = next;
	return 0;
}
