// SPDX-License-Identifier: Apache-2.0
/*
 * crowd TYPE COUNT - attaches COUNT programs that allow everything to one LSM hook, whose function has
 * this type id in the BTF of the kernel; prints "ready", or what the kernel said, and holds them until
 * its standard input ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static long attach_one(unsigned int type)
{
	static const struct bpf_insn allow[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;
	long program;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_LSM;
	attr.expected_attach_type = BPF_LSM_MAC;
	attr.attach_btf_id = type;
	attr.insns = (unsigned long)allow;
	attr.insn_cnt = 2;
	attr.license = (unsigned long)"GPL";
	program = bpf(BPF_PROG_LOAD, &attr);
	if (program < 0)
		return program;
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (unsigned int)program;
	attr.link_create.attach_type = BPF_LSM_MAC;
	return bpf(BPF_LINK_CREATE, &attr);
}

int main(int argc, char **argv)
{
	char line[16];

	if (argc != 3)
		return 2;
	for (int i = atoi(argv[2]); i > 0; i--)
		if (attach_one((unsigned int)atoi(argv[1])) < 0) {
			printf("%s\n", strerrorname_np(errno));
			return 1;
		}
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		;
	return 0;
}
