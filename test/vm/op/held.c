// SPDX-License-Identifier: Apache-2.0
/*
 * What a descriptor or a process that is older than a rule still can do: get hold of it first, say
 * "ready", wait for a line on standard input (the rule is activated meanwhile), then try.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "op.h"

#define PAGE_BYTES 4096

static int await_line(void)
{
	char line[16];

	printf("ready\n");
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) ? 0 : EPIPE;
}

static int hold(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	error = await_line();
	return error ? -error : fd;
}

static int read_outcome(int fd)
{
	char byte;

	return outcome(read(fd, &byte, 1));
}

/* What a child's exit status says; the attempt itself was made by the child. */
static int child_outcome(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

static int held_read(char **arg)
{
	int fd = hold(arg[0], O_RDONLY);

	return fd < 0 ? -fd : read_outcome(fd);
}

static int held_write(char **arg)
{
	int fd = hold(arg[0], O_WRONLY | O_APPEND);

	return fd < 0 ? -fd : outcome(write(fd, "x", 1));
}

static int held_list(char **arg)
{
	char entries[1024];
	int fd = hold(arg[0], O_RDONLY | O_DIRECTORY);

	return fd < 0 ? -fd : outcome(syscall(SYS_getdents64, fd, entries, sizeof(entries)));
}

static int held_fork(char **arg)
{
	int fd = hold(arg[0], O_RDONLY);
	pid_t child;

	if (fd < 0)
		return -fd;
	child = fork();
	if (child == 0)
		_exit(read_outcome(fd));
	return child_outcome(child);
}

static int send_fd(int socket, int fd)
{
	char byte = 0, room[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return outcome(sendmsg(socket, &message, 0));
}

static int receive_fd(int socket)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *header;
	int fd;

	if (recvmsg(socket, &message, 0) < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (!header)
		return -EBADF;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* The receiver is a process that was there before the descriptor was opened. */
static int held_pass(char **arg)
{
	int sockets[2], fd, error;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return errno;
	child = fork();
	if (child == 0) {
		close(sockets[0]);
		fd = receive_fd(sockets[1]);
		_exit(fd < 0 ? -fd : read_outcome(fd));
	}
	close(sockets[1]);
	fd = hold(arg[0], O_RDONLY);
	error = fd < 0 ? -fd : send_fd(sockets[0], fd);
	close(sockets[0]);
	return error ? error : child_outcome(child);
}

static int held_exec(char **arg)
{
	char number[16];
	int fd = hold(arg[0], O_RDONLY);

	if (fd < 0)
		return -fd;
	snprintf(number, sizeof(number), "%d", dup(fd));
	execl("/proc/self/exe", "op", "read-descriptor", number, NULL);
	return errno;
}

static int read_descriptor(char **arg)
{
	int fd;

	return sscanf(arg[0], "%d", &fd) == 1 ? read_outcome(fd) : EINVAL;
}

static int held_sendfile(char **arg)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int fd = hold(arg[0], O_RDONLY);

	return fd < 0 ? -fd : outcome(sendfile(null, fd, NULL, 1));
}

/* Only the ring has the file, as its file 0, when the rule comes. */
static int held_registered(char **arg)
{
	static char byte;
	struct io_uring_sqe entry = {
		.opcode = IORING_OP_READ,
		.flags = IOSQE_FIXED_FILE,
		.addr = (unsigned long)&byte,
		.len = 1,
	};
	struct ring ring;
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : ring_make(&ring);

	if (error)
		return error;
	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &fd, 1) < 0)
		return errno;
	close(fd);
	error = await_line();
	return error ? error : ring_run(&ring, &entry);
}

static int held_truncate(char **arg)
{
	int fd = hold(arg[0], O_RDWR);

	return fd < 0 ? -fd : outcome(ftruncate(fd, 1));
}

static int held_map(char **arg)
{
	int fd = hold(arg[0], O_RDONLY);
	void *map;

	if (fd < 0)
		return -fd;
	map = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
	return map == MAP_FAILED ? errno : 0;
}

/* Maps first; says "ready" with the mapping in hand. */
static volatile char *hold_mapping(const char *path, int flags, int *ret_error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE_BYTES, PROT_READ, flags, fd, 0);

	*ret_error = map == MAP_FAILED ? errno : await_line();
	return *ret_error ? NULL : map;
}

static int held_mapping(char **arg)
{
	int error;
	volatile char *map = hold_mapping(arg[0], MAP_SHARED, &error);

	if (map)
		(void)map[0];
	return error;
}

static int held_protect_exec(char **arg)
{
	int error;
	volatile char *map = hold_mapping(arg[0], MAP_PRIVATE, &error);

	if (!map)
		return error;
	return outcome(mprotect((void *)map, PAGE_BYTES, PROT_READ | PROT_EXEC));
}

/* Holds nothing but its own identity: it opens only after the line. */
static int wait_open(char **arg)
{
	int error = await_line();

	return error ? error : open_outcome(arg[0], O_RDONLY);
}

const struct attempt held_attempts[] = {
	{ "held-read", 1, held_read },
	{ "held-write", 1, held_write },
	{ "held-list", 1, held_list },
	{ "held-fork", 1, held_fork },
	{ "held-pass", 1, held_pass },
	{ "held-exec", 1, held_exec },
	{ "read-descriptor", 1, read_descriptor },
	{ "held-sendfile", 1, held_sendfile },
	{ "held-registered", 1, held_registered },
	{ "held-truncate", 1, held_truncate },
	{ "held-map", 1, held_map },
	{ "held-mapping", 1, held_mapping },
	{ "held-protect-exec", 1, held_protect_exec },
	{ "wait-open", 1, wait_open },
	{ NULL, 0, NULL },
};
