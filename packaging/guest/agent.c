// SPDX-License-Identifier: Apache-2.0
/*
 * The guest's first process: it runs what the host asks for, over one virtio port.
 *
 * A frame in either direction is { u32 length, u32 id, u8 kind, payload }, numbers little endian, length
 * counting the bytes after itself. The host chooses the id of a request; every answer carries it, and any
 * number of requests may be in flight.
 *
 * Invariants: the process never exits (the kernel would panic, which is what a bug here should look like);
 * every child is reaped, also those that it did not start; a command is answered when it ends, and does
 * not wait for background processes that kept its pipes.
 *
 * Deliberately absent: any trust boundary. Whoever holds the other end of the port is root in the guest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum request { REQUEST_RUN = 1, REQUEST_KILL = 2, REQUEST_PUT = 3, REQUEST_GET = 4 };
enum answer {
	ANSWER_READY = 1,
	ANSWER_STARTED = 2,
	ANSWER_STDOUT = 3,
	ANSWER_STDERR = 4,
	ANSWER_EXIT = 5,
	ANSWER_FILE = 6,
	ANSWER_ERROR = 7,
};

enum { JOBS_MAX = 256, FRAME_BYTES_MAX = 512 << 20, CHUNK_BYTES = 64 << 10, CHUNKS_MAX = 16, ARGS_MAX = 4096 };

struct job {
	pid_t pid; /* zero: the slot is free */
	uint32_t id;
	int in, out, err; /* -1 when closed */
	uint8_t *input; /* the request's frame, which holds the standard input */
	const uint8_t *input_at;
	size_t input_left;
	uint64_t started_us, deadline_us; /* deadline zero: none */
	int timed_out, exited, status;
};

struct reader {
	const uint8_t *at, *end;
	int bad;
};

static struct job jobs[JOBS_MAX];
static int port;

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "guest agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- frames ---- */

static void write_all(const void *data, size_t size)
{
	const uint8_t *at = data;

	while (size > 0) {
		ssize_t wrote = write(port, at, size);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			die("writing to the host");
		at += wrote;
		size -= (size_t)wrote;
	}
}

static void send_frame(uint32_t id, enum answer kind, const void *payload, size_t size)
{
	uint8_t head[9];
	uint32_t length = (uint32_t)size + 5;

	memcpy(head, &length, 4);
	memcpy(head + 4, &id, 4);
	head[8] = (uint8_t)kind;
	write_all(head, sizeof(head));
	write_all(payload, size);
}

static void send_error(uint32_t id, const char *what, const char *detail)
{
	char text[1024];
	int size = snprintf(text, sizeof(text), "%s: %s", what, detail);

	send_frame(id, ANSWER_ERROR, text, (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
}

static uint32_t read_u32(struct reader *reader)
{
	uint32_t value = 0;

	if (reader->end - reader->at < 4) {
		reader->bad = 1;
		return 0;
	}
	memcpy(&value, reader->at, 4);
	reader->at += 4;
	return value;
}

/* Strings travel with their terminating zero, so that they are used where they lie. */
static char *read_string(struct reader *reader)
{
	uint32_t size = read_u32(reader);
	char *text = (char *)reader->at;

	if (reader->bad || size == 0 || (size_t)(reader->end - reader->at) < size || text[size - 1] != 0) {
		reader->bad = 1;
		return "";
	}
	reader->at += size;
	return text;
}

static char **read_strings(struct reader *reader)
{
	uint32_t count = read_u32(reader);
	char **list;

	if (count > ARGS_MAX)
		reader->bad = 1;
	if (reader->bad)
		count = 0;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		die("memory");
	for (uint32_t i = 0; i < count; i++)
		list[i] = read_string(reader);
	return list;
}

/* ---- commands ---- */

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void child(char **args, char **env, const char *cwd, uint32_t uid, uint32_t gid, int in, int out, int err)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* A session of its own: killing the group ends everything that the command started. */
	setsid();
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	if ((uid || gid) && (setgroups(0, NULL) || setgid(gid) || setuid(uid))) {
		dprintf(2, "guest agent: cannot become uid %u: %s\n", uid, strerror(errno));
		_exit(126);
	}
	if (chdir(cwd)) {
		dprintf(2, "guest agent: cannot enter %s: %s\n", cwd, strerror(errno));
		_exit(126);
	}
	environ = env;
	execvp(args[0], args);
	dprintf(2, "guest agent: cannot execute %s: %s\n", args[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static struct job *free_job(void)
{
	for (int i = 0; i < JOBS_MAX; i++)
		if (jobs[i].pid == 0)
			return &jobs[i];
	return NULL;
}

static int open_pipes(int in[2], int out[2], int err[2])
{
	return pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) ? -1 : 0;
}

/* Takes the frame over: the job's standard input lies in it. */
static void start(uint32_t id, uint8_t *frame, struct reader *reader)
{
	uint32_t uid = read_u32(reader), gid = read_u32(reader), timeout_ms = read_u32(reader);
	char *cwd = read_string(reader);
	char **args = read_strings(reader), **env = read_strings(reader);
	struct job *job = free_job();
	int in[2], out[2], err[2];
	pid_t pid = -1;

	if (reader->bad || !args[0])
		send_error(id, "run", "malformed request");
	else if (!job)
		send_error(id, "run", "too many commands at once");
	else if (open_pipes(in, out, err))
		send_error(id, "pipe", strerror(errno));
	else if ((pid = fork()) < 0)
		send_error(id, "fork", strerror(errno));
	if (pid == 0)
		child(args, env, cwd, uid, gid, in[0], out[1], err[1]);
	free(args);
	free(env);
	if (pid < 0) {
		free(frame);
		return;
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	*job = (struct job){
		.pid = pid,
		.id = id,
		.in = in[1],
		.out = out[0],
		.err = err[0],
		.input = frame,
		.input_at = reader->at,
		.input_left = (size_t)(reader->end - reader->at),
		.started_us = now_us(),
	};
	if (timeout_ms)
		job->deadline_us = job->started_us + (uint64_t)timeout_ms * 1000;
	send_frame(id, ANSWER_STARTED, &job->pid, 4);
}

static void feed(struct job *job)
{
	ssize_t wrote = job->input_left ? write(job->in, job->input_at, job->input_left) : 0;

	if (wrote > 0) {
		job->input_at += wrote;
		job->input_left -= (size_t)wrote;
	}
	if (job->input_left == 0 || (wrote < 0 && errno != EAGAIN && errno != EINTR))
		close_if_open(&job->in);
}

/* Passes on what is there now, which is more than a full pipe holds but bounded; closes at the end. */
static void forward(struct job *job, int *fd, enum answer kind)
{
	static uint8_t chunk[CHUNK_BYTES];

	for (int i = 0; *fd >= 0 && i < CHUNKS_MAX; i++) {
		ssize_t got = read(*fd, chunk, sizeof(chunk));

		if (got > 0)
			send_frame(job->id, kind, chunk, (size_t)got);
		else if (got < 0 && errno == EINTR)
			continue;
		else if (got < 0 && errno == EAGAIN)
			return;
		else
			close_if_open(fd);
	}
}

static void finish(struct job *job)
{
	uint32_t result[4];
	uint64_t took_us = now_us() - job->started_us;

	forward(job, &job->out, ANSWER_STDOUT);
	forward(job, &job->err, ANSWER_STDERR);
	result[0] = WIFEXITED(job->status) ? (uint32_t)WEXITSTATUS(job->status) : 0;
	result[1] = WIFSIGNALED(job->status) ? (uint32_t)WTERMSIG(job->status) : 0;
	result[2] = (uint32_t)job->timed_out;
	result[3] = (uint32_t)took_us;
	send_frame(job->id, ANSWER_EXIT, result, sizeof(result));
	close_if_open(&job->in);
	close_if_open(&job->out);
	close_if_open(&job->err);
	free(job->input);
	*job = (struct job){ .pid = 0 };
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < JOBS_MAX; i++)
			if (jobs[i].pid == pid) {
				jobs[i].exited = 1;
				jobs[i].status = status;
			}
	for (int i = 0; i < JOBS_MAX; i++)
		if (jobs[i].pid && jobs[i].exited)
			finish(&jobs[i]);
}

static void expire(void)
{
	uint64_t now = now_us();

	for (int i = 0; i < JOBS_MAX; i++)
		if (jobs[i].pid && jobs[i].deadline_us && jobs[i].deadline_us <= now) {
			jobs[i].timed_out = 1;
			jobs[i].deadline_us = 0;
			kill(-jobs[i].pid, SIGKILL);
			kill(jobs[i].pid, SIGKILL);
		}
}

static void send_signal(uint32_t id, struct reader *reader)
{
	uint32_t target = read_u32(reader), number = read_u32(reader);
	uint32_t found = 0;

	for (int i = 0; i < JOBS_MAX; i++)
		if (jobs[i].pid && jobs[i].id == target) {
			found = 1;
			kill(-jobs[i].pid, (int)number);
		}
	send_frame(id, ANSWER_FILE, &found, sizeof(found));
}

/* ---- files ---- */

static void put_file(uint32_t id, struct reader *reader)
{
	uint32_t mode = read_u32(reader);
	char *path = read_string(reader);
	int fd;

	if (reader->bad) {
		send_error(id, "put", "malformed request");
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		send_error(id, path, strerror(errno));
		return;
	}
	while (reader->at < reader->end) {
		ssize_t wrote = write(fd, reader->at, (size_t)(reader->end - reader->at));

		if (wrote <= 0)
			break;
		reader->at += wrote;
	}
	if (reader->at < reader->end || fchmod(fd, mode))
		send_error(id, path, strerror(errno));
	else
		send_frame(id, ANSWER_FILE, NULL, 0);
	close(fd);
}

/* Read to the end and not by size: files of /proc and /sys claim to be empty. */
static void get_file(uint32_t id, struct reader *reader)
{
	char *path = read_string(reader);
	size_t size = 0, room = CHUNK_BYTES;
	uint8_t *data = NULL;
	ssize_t got = 1;
	int fd;

	if (reader->bad) {
		send_error(id, "get", "malformed request");
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		send_error(id, path, strerror(errno));
		return;
	}
	while (got > 0 && room <= FRAME_BYTES_MAX) {
		if (!data || size == room)
			data = realloc(data, room *= 2);
		if (!data)
			die("memory");
		got = read(fd, data + size, room - size);
		if (got > 0)
			size += (size_t)got;
	}
	if (got < 0)
		send_error(id, path, strerror(errno));
	else if (got > 0)
		send_error(id, path, "too large");
	else
		send_frame(id, ANSWER_FILE, data, size);
	free(data);
	close(fd);
}

/* ---- the loop ---- */

static void handle(uint8_t *frame, size_t size)
{
	struct reader reader = { .at = frame, .end = frame + size };
	uint32_t id = read_u32(&reader);
	uint8_t kind = size > 4 ? *reader.at++ : 0;

	switch (kind) {
	case REQUEST_RUN:
		start(id, frame, &reader);
		return;
	case REQUEST_KILL:
		send_signal(id, &reader);
		break;
	case REQUEST_PUT:
		put_file(id, &reader);
		break;
	case REQUEST_GET:
		get_file(id, &reader);
		break;
	default:
		send_error(id, "request", "unknown kind");
	}
	free(frame);
}

/* Collects bytes until a frame is whole; false when there is nothing more to read now. */
static int receive(void)
{
	static uint8_t head[4], *frame;
	static size_t have;
	static uint32_t length;
	uint8_t *into = have < 4 ? head + have : frame + (have - 4);
	size_t want = have < 4 ? 4 - have : length - (have - 4);
	ssize_t got = read(port, into, want);

	/* Zero means that the host has not connected yet, or has gone. */
	if (got <= 0)
		return 0;
	have += (size_t)got;
	if (have == 4) {
		memcpy(&length, head, 4);
		if (length < 5 || length > FRAME_BYTES_MAX)
			die("a frame of impossible length");
		frame = malloc(length);
		if (!frame)
			die("memory");
	}
	if (have >= 4 && have - 4 == length) {
		have = 0;
		handle(frame, length);
	}
	return 1;
}

static int watch(struct pollfd *fds, struct job **owners)
{
	int count = 2;

	for (int i = 0; i < JOBS_MAX; i++) {
		struct job *job = &jobs[i];
		int ends[3] = { job->in, job->out, job->err };

		for (int end = 0; job->pid && end < 3; end++)
			if (ends[end] >= 0) {
				owners[count] = job;
				fds[count++] = (struct pollfd){ .fd = ends[end], .events = end ? POLLIN : POLLOUT };
			}
	}
	return count;
}

static int next_deadline_ms(void)
{
	uint64_t now = now_us(), soonest = 0;

	for (int i = 0; i < JOBS_MAX; i++)
		if (jobs[i].pid && jobs[i].deadline_us && (!soonest || jobs[i].deadline_us < soonest))
			soonest = jobs[i].deadline_us;
	if (!soonest)
		return -1;
	return soonest <= now ? 0 : (int)((soonest - now) / 1000) + 1;
}

int main(int argc, char **argv)
{
	static struct pollfd fds[2 + JOBS_MAX * 3];
	static struct job *owners[2 + JOBS_MAX * 3];
	struct signalfd_siginfo info;
	sigset_t mask;

	if (argc != 2) {
		fprintf(stderr, "usage: guest-agent PORT\n");
		return 2;
	}
	port = open(argv[1], O_RDWR | O_CLOEXEC);
	if (port < 0)
		die(argv[1]);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fds[0] = (struct pollfd){ .fd = port, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK), .events = POLLIN };
	send_frame(0, ANSWER_READY, NULL, 0);

	for (;;) {
		int count = watch(fds, owners);

		if (poll(fds, (nfds_t)count, next_deadline_ms()) < 0 && errno != EINTR)
			die("poll");
		for (int i = 2; i < count; i++) {
			if (!fds[i].revents)
				continue;
			if (fds[i].fd == owners[i]->in)
				feed(owners[i]);
			else if (fds[i].fd == owners[i]->out)
				forward(owners[i], &owners[i]->out, ANSWER_STDOUT);
			else if (fds[i].fd == owners[i]->err)
				forward(owners[i], &owners[i]->err, ANSWER_STDERR);
		}
		while (read(fds[1].fd, &info, sizeof(info)) > 0)
			continue;
		reap();
		expire();
		if (fds[0].revents & POLLIN)
			receive();
	}
}
