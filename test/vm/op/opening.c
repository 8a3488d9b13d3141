// SPDX-License-Identifier: Apache-2.0
/* Ways to open: by call, by flag, by handle, by ring, from other roots and namespaces. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "op.h"

static int open_read(char **arg)
{
	return open_outcome(arg[0], O_RDONLY);
}

static int open_write(char **arg)
{
	return open_outcome(arg[0], O_WRONLY);
}

static int open_rdwr(char **arg)
{
	return open_outcome(arg[0], O_RDWR);
}

static int open_append(char **arg)
{
	return open_outcome(arg[0], O_WRONLY | O_APPEND);
}

static int open_trunc(char **arg)
{
	return open_outcome(arg[0], O_WRONLY | O_TRUNC);
}

static int open_direct(char **arg)
{
	return open_outcome(arg[0], O_RDONLY | O_DIRECT);
}

static int open_creat(char **arg)
{
	return open_outcome(arg[0], O_WRONLY | O_CREAT);
}

static int open_excl(char **arg)
{
	return open_outcome(arg[0], O_WRONLY | O_CREAT | O_EXCL);
}


static int creat_call(char **arg)
{
	return outcome(creat(arg[0], 0600));
}

static int open_path(char **arg)
{
	struct stat st;
	int fd = open(arg[0], O_PATH | O_CLOEXEC);

	return fd < 0 ? errno : outcome(fstat(fd, &st));
}

static int reopen_path(char **arg)
{
	char link[64];
	int fd = open(arg[0], O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return open_outcome(link, O_RDONLY);
}

static int open_handle(char **arg)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} h;
	int mount_id, mount_fd;

	h.handle.handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, arg[0], &h.handle, &mount_id, 0) < 0)
		return errno;
	mount_fd = open(arg[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount_fd < 0)
		return errno;
	return outcome(open_by_handle_at(mount_fd, &h.handle, O_RDONLY));
}

/* The ring by hand, so that the tool needs no library: one entry, one completion. */
int ring_make(struct ring *ring)
{
	struct io_uring_params *p = &ring->params;

	memset(ring, 0, sizeof(*ring));
	ring->fd = (int)syscall(SYS_io_uring_setup, 1, p);
	if (ring->fd < 0)
		return errno;
	ring->sq = mmap(NULL, p->sq_off.array + p->sq_entries * 4, PROT_READ | PROT_WRITE,
			MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->cq = mmap(NULL, p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe),
			PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, sizeof(*ring->sqes), PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			  IORING_OFF_SQES);
	if (ring->sq == MAP_FAILED || ring->cq == MAP_FAILED || ring->sqes == MAP_FAILED)
		return errno;
	return 0;
}

int ring_run(struct ring *ring, const struct io_uring_sqe *entry)
{
	const struct io_uring_params *p = &ring->params;
	struct io_uring_cqe *cqe = (struct io_uring_cqe *)(ring->cq + p->cq_off.cqes);

	ring->sqes[0] = *entry;
	((unsigned int *)(ring->sq + p->sq_off.array))[0] = 0;
	__atomic_store_n((unsigned int *)(ring->sq + p->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return errno;
	return cqe->res < 0 ? -cqe->res : 0;
}

int ring_submit_as(struct io_uring_sqe *entry, uid_t uid)
{
	struct ring ring;
	int error = ring_make(&ring);

	if (error)
		return error;
	if (uid != geteuid()) {
		long personality;

		if (seteuid(uid) < 0)
			return errno;
		personality =
			syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_PERSONALITY, NULL, 0);
		if (seteuid(0) < 0 || personality < 0)
			return errno;
		entry->personality = (unsigned short)personality;
	}
	return ring_run(&ring, entry);
}

static int ring_submit(struct io_uring_sqe *entry)
{
	return ring_submit_as(entry, geteuid());
}

static int ring_openat(char **arg)
{
	struct io_uring_sqe entry = { .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD };

	entry.addr = (unsigned long)arg[0];
	entry.open_flags = O_RDONLY;
	return ring_submit(&entry);
}

static int ring_openat2(char **arg)
{
	struct open_how_v1 {
		unsigned long long flags, mode, resolve;
	} how = { .flags = O_RDONLY };
	struct io_uring_sqe entry = { .opcode = IORING_OP_OPENAT2, .fd = AT_FDCWD };

	entry.addr = (unsigned long)arg[0];
	entry.len = sizeof(how);
	entry.off = (unsigned long)&how;
	return ring_submit(&entry);
}

/* arg: new root, path inside it */
static int chroot_open(char **arg)
{
	if (chroot(arg[0]) < 0 || chdir("/") < 0)
		return errno;
	return open_outcome(arg[1], O_RDONLY);
}

static int mount_namespace_open(char **arg)
{
	if (unshare(CLONE_NEWNS) < 0)
		return errno;
	return open_outcome(arg[0], O_RDONLY);
}

static int user_namespace_open(char **arg)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return errno;
	return open_outcome(arg[0], O_RDONLY);
}

/* arg: protected source, mount point, path to open; in a namespace of its own */
static int bind_open(char **arg)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	if (mount(arg[0], arg[1], NULL, MS_BIND, NULL) < 0)
		return errno;
	return open_outcome(arg[2], O_RDONLY);
}

/* arg: directory that becomes the new root (a mount is made of it), path inside it */
static int pivot_open(char **arg)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	if (mount(arg[0], arg[0], NULL, MS_BIND, NULL) < 0 || chdir(arg[0]) < 0)
		return errno;
	if (syscall(SYS_pivot_root, ".", ".") < 0 && chroot(".") < 0)
		return errno;
	return open_outcome(arg[1], O_RDONLY);
}

/* arg: directory, relative path */
static int relative_open(char **arg)
{
	if (chdir(arg[0]) < 0)
		return errno;
	return open_outcome(arg[1], O_RDONLY);
}

/* arg: directory; opened through /proc/self/cwd */
static int proc_cwd_open(char **arg)
{
	char path[4096];

	if (chdir(arg[0]) < 0)
		return errno;
	snprintf(path, sizeof(path), "/proc/self/cwd/%s", arg[1]);
	return open_outcome(path, O_RDONLY);
}

/* arg: directory, depth; the file `file` at the end of a chain of directories `d` */
static int deep_open(char **arg)
{
	if (chdir(arg[0]) < 0)
		return errno;
	for (int i = atoi(arg[1]); i > 0; i--)
		if (chdir("d") < 0)
			return errno;
	return open_outcome("file", O_RDONLY);
}

/* arg: directory, depth; makes that chain, with a file at its end (a shell would take minutes) */
static int deep_make(char **arg)
{
	int fd;

	if (chdir(arg[0]) < 0)
		return errno;
	for (int i = atoi(arg[1]); i > 0; i--)
		if ((mkdir("d", 0755) < 0 && errno != EEXIST) || chdir("d") < 0)
			return errno;
	fd = creat("file", 0600);
	return outcome(fd);
}

/* arg: path, how often; the one outcome of all of them, or EPROTO when they differ */
static int open_many(char **arg)
{
	int first = open_outcome(arg[0], O_RDONLY);

	for (int i = atoi(arg[1]); i > 1; i--)
		if (open_outcome(arg[0], O_RDONLY) != first)
			return EPROTO;
	return first;
}

static int swapon_call(char **arg)
{
	return outcome(swapon(arg[0], 0));
}

static int acct_call(char **arg)
{
	int error = outcome(acct(arg[0]));

	/* What is accounted to cannot be unmounted. */
	if (!error)
		acct(NULL);
	return error;
}

const struct attempt opening_attempts[] = {
	{ "open-read", 1, open_read },
	{ "open-write", 1, open_write },
	{ "open-rdwr", 1, open_rdwr },
	{ "open-append", 1, open_append },
	{ "open-trunc", 1, open_trunc },
	{ "open-direct", 1, open_direct },
	{ "open-creat", 1, open_creat },
	{ "open-excl", 1, open_excl },
	{ "creat", 1, creat_call },
	{ "open-path", 1, open_path },
	{ "reopen-path", 1, reopen_path },
	{ "open-handle", 2, open_handle },
	{ "ring-openat", 1, ring_openat },
	{ "ring-openat2", 1, ring_openat2 },
	{ "chroot-open", 2, chroot_open },
	{ "pivot-open", 2, pivot_open },
	{ "mount-namespace-open", 1, mount_namespace_open },
	{ "user-namespace-open", 1, user_namespace_open },
	{ "bind-open", 3, bind_open },
	{ "relative-open", 2, relative_open },
	{ "proc-cwd-open", 2, proc_cwd_open },
	{ "deep-make", 2, deep_make },
	{ "deep-open", 2, deep_open },
	{ "open-many", 2, open_many },
	{ "swapon", 1, swapon_call },
	{ "acct", 1, acct_call },
	{ NULL, 0, NULL },
};
