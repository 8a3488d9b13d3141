// SPDX-License-Identifier: Apache-2.0
/*
 * host.c - facts about the host. Each is read by itself; what cannot be read is reported as
 * missing, because that is what it is to Warder.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "internal.h"
#include "log.h"

static void read_text(const char *path, char *ret_text, size_t size)
{
	ssize_t length = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		length = read(fd, ret_text, size - 1);
		close(fd);
	}
	ret_text[length > 0 ? length : 0] = '\0';
}

/* CapEff of the calling thread. capget(2) would do; this needs no libcap types. */
static uint64_t read_effective(void)
{
	char text[4096];
	const char *line;

	read_text("/proc/thread-self/status", text, sizeof(text));
	line = strstr(text, "\nCapEff:");
	return line ? strtoull(line + strlen("\nCapEff:"), NULL, 16) : 0;
}

static void read_hooks(struct wd_host *host, const struct btf *btf)
{
	for (size_t i = 0; i < wd_spec_count; i++) {
		struct wd_hook_fact *fact = &host->hooks[host->hook_count];
		const struct wd_program_spec *spec;

		if (!wd_spec_is_first(i))
			continue;
		fact->hook = wd_specs[i].hook;
		fact->nargs = btf ? wd_hook_nargs(btf, fact->hook) : -1;
		spec = wd_spec_for(fact->hook, fact->nargs);
		fact->needs = wd_specs[i].needs;
		fact->program = spec ? spec->program : NULL;
		host->hook_count++;
	}
}

void wd_probe_host(struct wd_host *ret_host)
{
	struct utsname name;
	struct statfs fs;
	struct btf *btf;

	wd_log_capture();
	memset(ret_host, 0, sizeof(*ret_host));
	if (uname(&name) == 0)
		snprintf(ret_host->release, sizeof(ret_host->release), "%s", name.release);
	ret_host->bpffs = statfs("/sys/fs/bpf", &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
	read_text("/sys/kernel/security/lsm", ret_host->lsm, sizeof(ret_host->lsm));
	ret_host->effective = read_effective();

	btf = btf__load_vmlinux_btf();
	if (libbpf_get_error(btf))
		btf = NULL;
	ret_host->btf = btf != NULL;
	read_hooks(ret_host, btf);
	btf__free(btf);
}
