// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * warder.bpf.c - all programs as one unit, so that maps and shared code are defined once.
 */
#include "attr.bpf.c"
#include "file.bpf.c"
#include "loaded.h"
#include "mount.bpf.c"
#include "name.bpf.c"
#include "self.bpf.c"
#include "task.bpf.c"
#include "use.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
