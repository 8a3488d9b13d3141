// SPDX-License-Identifier: Apache-2.0
/*
 * launcher.c - starts the enforcer, and takes nothing from whoever started it.
 *
 * The kernel knows the enforcer by this program (bpf/lib/self.h): a process that executed it, and
 * then the runtime, may touch Warder's maps. So it must not be possible to make it run anything
 * else: it is static (no preloaded library), ignores its arguments, passes on no environment but
 * the service manager's socket, and no descriptor but the three standard ones.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/close_range.h>

#ifndef WD_LAUNCHER
#define WD_LAUNCHER "/usr/lib/warder/warder-enforcer"
#endif
#ifndef WD_RUNTIME
#define WD_RUNTIME "/usr/lib/warder/node"
#endif
#ifndef WD_PROGRAM
#define WD_PROGRAM "/usr/lib/warder/warder-enforcer.mjs"
#endif
#ifndef WD_CONFIG
#define WD_CONFIG "/etc/warder/enforcer.yaml"
#endif

#define NOTIFY "NOTIFY_SOCKET="
#define NOTIFY_MAX 128

static void forget_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(void)
{
	static char notify[NOTIFY_MAX];
	char *const arguments[] = { WD_RUNTIME, "--disable-warning=ExperimentalWarning",
				    WD_PROGRAM, "--config",
				    WD_CONFIG,	NULL };
	char *environment[] = { "PATH=/usr/sbin:/usr/bin", "LANG=C.UTF-8",
				"WARDER_LAUNCHER=" WD_LAUNCHER, NULL, NULL };
	const char *socket = getenv("NOTIFY_SOCKET");

	if (socket && strlen(socket) < NOTIFY_MAX - sizeof(NOTIFY)) {
		snprintf(notify, sizeof(notify), NOTIFY "%s", socket);
		environment[3] = notify;
	}
	forget_signals();
	umask(077);
	if (close_range(3, ~0U, 0) != 0 || chdir("/") != 0) {
		perror("warder-enforcer");
		return 1;
	}
	execve(WD_RUNTIME, arguments, environment);
	perror(WD_RUNTIME);
	return 1;
}
