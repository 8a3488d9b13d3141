// SPDX-License-Identifier: Apache-2.0
/*
 * attach.c - attaches and detaches programs that are loaded already, as often as a comparison needs.
 *
 * Loading takes seconds under emulation, attaching does not. The programs and, through them, their
 * maps stay as they are: what is compared differs in nothing but the links.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>

#include "cost.h"

#define PROGRAMS_MAX 64

static int programs[PROGRAMS_MAX];
static int links[PROGRAMS_MAX];
static int count;

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

void keep_programs(const char *ids)
{
	char *rest = strdup(ids);
	char *word;

	while ((word = strsep(&rest, ",")) != NULL) {
		union bpf_attr attr = { .prog_id = (uint32_t)strtoul(word, NULL, 10) };

		must(count < PROGRAMS_MAX, "too many programs");
		programs[count] = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		must(programs[count] >= 0, "cannot open the program");
		links[count++] = -1;
	}
}

void attach_programs(void)
{
	for (int i = 0; i < count; i++) {
		union bpf_attr attr = { .link_create = {
						.prog_fd = (uint32_t)programs[i],
						.attach_type = BPF_LSM_MAC,
					} };

		links[i] = bpf(BPF_LINK_CREATE, &attr);
		must(links[i] >= 0, "cannot attach the program");
	}
}

void detach_programs(void)
{
	for (int i = 0; i < count; i++) {
		if (links[i] >= 0)
			close(links[i]);
		links[i] = -1;
	}
}
