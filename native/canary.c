// SPDX-License-Identifier: Apache-2.0
/*
 * canary.c - an ordinary child that tries system calls and tells what each answered.
 *
 * The child comes from a process with many threads, so between fork and _exit only
 * async-signal-safe functions run: no allocation, no stdio. Answers come back over a pipe; what is
 * not answered before the deadline stays WD_TRY_UNANSWERED, which is not a success.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "canary.h"

struct answer {
	uint32_t index;
	int32_t err;
};

static const struct wd_canary *find(const char *op)
{
	for (size_t i = 0; wd_canaries[i].name; i++) {
		if (strcmp(wd_canaries[i].name, op) == 0)
			return &wd_canaries[i];
	}
	return NULL;
}

const char *const *wd_try_names(void)
{
	static const char *names[64];

	for (size_t i = 0; wd_canaries[i].name && i + 1 < sizeof(names) / sizeof(names[0]); i++)
		names[i] = wd_canaries[i].name;
	return names;
}

bool wd_try_needs_path2(const char *op)
{
	const struct wd_canary *canary = find(op);

	return canary && canary->needs_path2;
}

/* Handlers of the parent would write into pipes that the parent still reads. */
static void reset_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void run_child(const struct wd_try *tries, size_t count, int out)
{
	reset_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A group of its own, so that the deadline ends a program that it executed as well. */
	setpgid(0, 0);
	for (size_t i = 0; i < count; i++) {
		struct answer answer = { (uint32_t)i, 0 };

		if (find(tries[i].op)->attempt(&tries[i]) != 0)
			answer.err = errno;
		if (write(out, &answer, sizeof(answer)) != sizeof(answer))
			_exit(1);
	}
	_exit(0);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Pipe writes of this size are atomic, so an answer is there wholly or not at all. */
static void collect(int in, size_t count, unsigned int deadline_ms, int *ret_errnos)
{
	const int64_t end = now_ms() + deadline_ms;
	struct pollfd ready = { .fd = in, .events = POLLIN };
	struct answer answer;

	for (int64_t left; (left = end - now_ms()) > 0;) {
		ssize_t length;
		int polled = poll(&ready, 1, (int)left);

		if (polled == 0 || (polled < 0 && errno != EINTR))
			return;
		if (polled < 0)
			continue;
		length = read(in, &answer, sizeof(answer));
		if (length != sizeof(answer))
			return;
		if (answer.index < count)
			ret_errnos[answer.index] = answer.err;
	}
}

static void end_child(pid_t child)
{
	/* The group exists only once the child has made it; the child itself always does. */
	kill(-child, SIGKILL);
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

static int check(const struct wd_try *tries, size_t count, struct wd_error *reterr_error)
{
	for (size_t i = 0; i < count; i++) {
		const struct wd_canary *canary = find(tries[i].op);

		if (!canary)
			return wd_fail(reterr_error, "argument", EINVAL, tries[i].op,
				       "is no operation");
		if (canary->needs_path2 && !tries[i].path2)
			return wd_fail(reterr_error, "argument", EINVAL, tries[i].op,
				       "needs a second path");
	}
	return 0;
}

int wd_try_all(const struct wd_try *tries, size_t count, unsigned int deadline_ms, int *ret_errnos,
	       struct wd_error *reterr_error)
{
	sigset_t all, before;
	int pipes[2], err;
	pid_t child;

	if (check(tries, count, reterr_error) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		ret_errnos[i] = WD_TRY_UNANSWERED;
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return wd_fail(reterr_error, "fork", errno, "pipe", "no pipe");
	/* No signal may reach the child while it still has the parent's handlers. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	child = _Fork(); /* without the handlers of pthread_atfork */
	err = errno;
	if (child == 0)
		run_child(tries, count, pipes[1]);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(pipes[1]);
	if (child < 0) {
		close(pipes[0]);
		return wd_fail(reterr_error, "fork", err, "child", "cannot fork");
	}
	collect(pipes[0], count, deadline_ms, ret_errnos);
	end_child(child);
	close(pipes[0]);
	return 0;
}
