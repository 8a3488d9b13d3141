// SPDX-License-Identifier: Apache-2.0
/*
 * op ATTEMPT ARG... - tries one way to a file and prints its process id and the errno's name, or "OK".
 * The exit status is 0 whenever the attempt was made, whatever came of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "op.h"

int outcome(long result)
{
	return result < 0 ? errno : 0;
}

int open_outcome(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	int ret = outcome(fd);

	if (fd >= 0)
		close(fd);
	return ret;
}

void report(int error)
{
	printf("%d %s\n", getpid(), error == 0 ? "OK" : strerrorname_np(error));
	fflush(stdout);
}

static const struct attempt *find(const char *name)
{
	const struct attempt *tables[] = { opening_attempts, changing_attempts, executing_attempts,
					   held_attempts,    holding_attempts, place_attempts,
					   racing_attempts,  attacking_attempts,
					   placing_attempts, sealing_attempts };

	for (unsigned int i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct attempt *it = tables[i]; it->name; it++)
			if (strcmp(it->name, name) == 0)
				return it;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct attempt *it = argc > 1 ? find(argv[1]) : NULL;
	int error;

	if (!it || argc - 2 != it->args) {
		fprintf(stderr, "op: no such attempt, or a wrong number of arguments\n");
		return 2;
	}
	error = it->run(argv + 2);
	report(error);
	return 0;
}
